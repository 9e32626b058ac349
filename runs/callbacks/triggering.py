"""Decides how asynchronous callbacks reach the triggerer, and how their end comes back."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from orchestrator.database import notify_on_commit
from runs.callbacks.results import take_result
from runs.callbacks.services import Outcome
from runs.models import Callback, Trigger
from runs.trigger_kwargs import kwargs_sealed

CLASSPATH = "airflow.triggers.callback.CallbackTrigger"
TRIGGERER_TOPIC = "triggerer"


def callback_trigger(delivery: Callback, *, now: datetime) -> None:
    """Make the trigger of a claimed delivery. Its life is the trigger's lease, so that of the delivery ends here."""
    payload = delivery.payload
    kwargs = {**(payload.get("kwargs") or {}), "context": payload.get("context")}
    text = json.dumps({"callback_path": payload["path"], "callback_kwargs": kwargs})
    Trigger.objects.filter(callback=delivery).delete()
    Trigger.objects.create(callback=delivery, classpath=CLASSPATH, created_date=now, encrypted_kwargs=kwargs_sealed(text))
    Callback.objects.filter(pk=delivery.pk).update(lease_until=None)
    notify_on_commit(TRIGGERER_TOPIC)


def callback_trigger_end(trigger_id: int, dispatch_id: Any, message: dict[str, Any], *, now: datetime) -> None:
    """Take what a trigger said of its callback: the event of its end, or why it could not run."""
    Trigger.objects.filter(pk=trigger_id).delete()
    if dispatch_id is None:
        return
    if message["type"] == "Event" and isinstance(message["payload"], dict):
        said = message["payload"]
        outcome = Outcome(dispatch_id, said.get("state") == "success", str(said.get("body") or ""))
    else:
        outcome = Outcome(dispatch_id, False, "".join(message.get("traceback") or ["the trigger ended without an event"]))
    take_result(outcome, now=now)
