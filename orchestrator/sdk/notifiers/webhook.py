"""Decides how a message goes to any web address: one HTTP request, whose failure is an error."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from orchestrator.sdk.notifiers.built_in import BuiltInNotifier, connection_or_none


class WebhookNotifier(BuiltInNotifier):
    """Sends a JSON document to a web address.

    Args:
        url: the address; may be a template. Without it the address of the connection is used.
        payload: what is sent, nested templates included; without it a short document about the run and the task.
        headers: headers beside ``Content-Type``.
        method: HTTP method.
        http_conn_id: connection with ``host`` (the address) and ``password`` (sent as ``Authorization: Bearer``).
        timeout: seconds.
    """

    template_fields: Collection[str] = ("url", "payload", "headers")

    def __init__(
        self,
        url: str | None = None,
        payload: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        method: str = "POST",
        http_conn_id: str | None = None,
        timeout: float = 30.0,
        context: Any = None,
    ) -> None:
        given = {"url": url, "payload": payload, "headers": headers, "http_conn_id": http_conn_id}
        super().__init__({**given, "method": method, "timeout": timeout}, context)
        if not url and not http_conn_id:
            raise ValueError("WebhookNotifier needs url or http_conn_id")
        self.url, self.payload, self.headers = url, payload, headers
        self.method, self.http_conn_id, self.timeout = method, http_conn_id, timeout

    def notify(self, context: Any) -> None:
        """Send the request. Raises ``RuntimeError`` for an answer other than 2xx."""
        headers = dict(self.headers or {})
        url = self.url
        connection = connection_or_none(self.http_conn_id)
        if connection is not None:
            url = url or _address(connection)
            if connection.password:
                headers.setdefault("Authorization", f"Bearer {connection.password}")
        if not url:
            raise ValueError(f"the connection {self.http_conn_id!r} of the WebhookNotifier does not exist or has no host")
        send_json(url, self.payload if self.payload is not None else summary(context), headers, self.method, self.timeout)


def summary(context: Any) -> dict[str, Any]:
    """Return the document that is sent where the author gives none."""
    ti = context.get("ti")
    told = {
        "event": context.get("event"),
        "dag_id": context.get("dag_id"),
        "run_id": context.get("run_id"),
        "task_id": getattr(ti, "task_id", None),
        "map_index": getattr(ti, "map_index", None),
        "try_number": getattr(ti, "try_number", None),
        "state": str(getattr(ti, "state", "") or "") or None,
        "reason": context.get("reason"),
        "exception": str(context["exception"]) if context.get("exception") else None,
        "count": len(context["grouped"]) if context.get("grouped") else None,
        "text": str(context.get("summary") or ""),
    }
    return {name: value for name, value in told.items() if value is not None}


def send_json(url: str, document: Any, headers: dict[str, str], method: str = "POST", timeout: float = 30.0) -> str:
    """Send a JSON document and return the text of the answer. Raises ``RuntimeError`` for an answer other than 2xx."""
    import urllib3

    if not url.lower().startswith(("http://", "https://")):
        raise ValueError(f"the address of a webhook must begin with http:// or https://, not {url[:30]!r}")
    body = json.dumps(document, default=str).encode()
    pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(total=timeout))
    response = pool.request(method, url, body=body, headers={"Content-Type": "application/json", **headers}, redirect=False)
    text = response.data[:2000].decode("utf-8", "replace")
    if not 200 <= response.status < 300:
        raise RuntimeError(f"the webhook answered {response.status}: {text[:300]}")
    return text


def _address(connection: Any) -> str | None:
    host = connection.host or ""
    if not host:
        return None
    if host.startswith(("http://", "https://")):
        return str(host)
    port = f":{connection.port}" if connection.port else ""
    return f"{connection.schema or 'https'}://{host}{port}"
