"""Decides how a worker tests a connection, in a process of its own: ``python -m orchestrator.sdk.execution.connection_probe``.

The order comes as one JSON document on stdin: ``{"connection": {...}}``, answered with ``{"status", "message"}`` on stdout,
or ``{"id", "token", "url"}``, fetched from and reported to the Execution API.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any
from urllib.request import Request, urlopen

API_SECONDS = 10.0
MOST_CHARACTERS = 2000


def probe(parts: dict[str, Any]) -> tuple[bool, str]:
    """Test a connection with the hook of its type; returns success and a sentence."""
    from orchestrator.sdk.definitions.connection import Connection
    from orchestrator.sdk.hooks.registry import make_hook

    connection = Connection(**parts)
    # Hooks look their connection up by its id.
    os.environ[f"AIRFLOW_CONN_{(connection.conn_id or '').upper()}"] = connection.get_uri()
    try:
        hook = make_hook(connection)
        if hook is None:
            return False, f'Unknown hook type "{connection.conn_type}": no provider package for it is installed on the worker.'
        if not hasattr(hook, "test_connection"):
            return False, f"Hook {type(hook).__name__} doesn't implement or inherit test_connection method"
        status, message = hook.test_connection()
        return bool(status), str(message)
    except Exception as error:
        return False, str(error) or type(error).__name__


def main() -> int:
    """Carry out the order on stdin; 0 where it could be answered."""
    order = json.loads(sys.stdin.read())
    answers = os.dup(1)
    os.dup2(2, 1)  # what a hook prints is no answer
    if "connection" in order:
        status, message = probe(order["connection"])
        os.write(answers, json.dumps({"status": status, "message": message}).encode())
        return 0
    address = f"{order['url'].rstrip('/')}/connection-tests/{order['id']}"
    status, message = probe(_ask("GET", f"{address}/connection", order["token"]))
    body = {"state": "success" if status else "failed", "result_message": message[:MOST_CHARACTERS]}
    _ask("PATCH", address, order["token"], body)
    return 0


def _ask(method: str, url: str, token: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url, data, headers, method=method), timeout=API_SECONDS) as answer:  # noqa: S310  the platform's own URL
        text = answer.read()
    return json.loads(text) if text else None


if __name__ == "__main__":
    sys.exit(main())
