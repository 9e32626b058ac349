"""Decides which notifiers the server can send without the DAG file: built-in ones whose arguments are JSON.

The parser writes them into the DAG's document, the task process leaves them alone, and a worker builds them again from
their path and arguments. All three ask here, so that each alert is sent by exactly one of them.
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

BUILT_IN = {
    "airflow.providers.smtp.notifications.smtp.SmtpNotifier": "orchestrator.sdk.notifiers.smtp.SmtpNotifier",
    "airflow.providers.slack.notifications.slack.SlackNotifier": "orchestrator.sdk.notifiers.slack.SlackNotifier",
    "airflow.providers.slack.notifications.slack_webhook.SlackWebhookNotifier": (
        "orchestrator.sdk.notifiers.slack.SlackWebhookNotifier"
    ),
    "orchestrator.sdk.notifiers.webhook.WebhookNotifier": "orchestrator.sdk.notifiers.webhook.WebhookNotifier",
}
_NAMES = {place: name for name, place in BUILT_IN.items()}


def alert_of(callback: Any) -> dict[str, Any] | None:
    """Return path and arguments of a callback that the server can send, None for any other."""
    name = _NAMES.get(f"{type(callback).__module__}.{type(callback).__qualname__}")
    if name is None or getattr(callback, "context", None):
        return None
    try:
        kwargs = json.loads(json.dumps(callback.arguments()))
    except (TypeError, ValueError):
        return None
    return {"path": name, "kwargs": kwargs} if kwargs == callback.arguments() else None


def alerts_of(callbacks: Any) -> dict[str, Any] | None:
    """Return the alerts among one or many callbacks, each with its place, and whether there is nothing else."""
    found = as_list(callbacks)
    alerts = [(index, alert_of(callback)) for index, callback in enumerate(found)]
    items = [{"index": index, **alert} for index, alert in alerts if alert is not None]
    return {"items": items, "only": len(items) == len(found)} if items else None


def as_list(callbacks: Any) -> list[Any]:
    """Return one, many or no callbacks as a list."""
    if not callbacks:
        return []
    return list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]


def build(path: str, kwargs: dict[str, Any]) -> Any:
    """Return the notifier of an alert. Raises ``ValueError`` for a path that is no built-in notifier."""
    place = BUILT_IN.get(path)
    if place is None:
        raise ValueError(f"{path!r} is not a built-in notifier; known are {', '.join(sorted(BUILT_IN))}")
    module, _, name = place.rpartition(".")
    return getattr(import_module(module), name)(**kwargs)
