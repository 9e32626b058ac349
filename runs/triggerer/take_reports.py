"""Decides what becomes of what triggers say: events resume their tasks, failures fail them, log lines reach the log."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import InterfaceError, OperationalError, transaction

from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.faults import fault_point
from orchestrator.kernel.service import Result
from runs import transitions
from runs.assets.watchers import watcher_event
from runs.callbacks.triggering import callback_trigger_end
from runs.models import TaskInstance
from runs.resumptions import TRIGGER_FAILURE, EndByTrigger, Resumption
from runs.services_xcom import XComValue, xcom_set
from runs.triggerer.answers import Answers
from runs.triggerer.lane import Message
from runs.triggerer.lanes import Lanes
from runs.triggerer.trigger_logs import TriggerLogs
from runs.triggerer.waits import Wait
from runs.triggerer.watch_assets import Rests

log = logging.getLogger(__name__)

CHUNK = 200
_ENDS = {"Event", "Ended", "Failed"}


class TakeReports:
    """Carries out what the runners have said. An end stays until it is in the database: an outage loses none."""

    name = "take_reports"

    def __init__(self, lanes: Lanes, waits: dict[int, Wait], logs: TriggerLogs, answers: Answers) -> None:
        self.lanes = lanes
        self.rests = Rests()
        self.waits = waits
        self.logs = logs
        self.answers = answers
        self._ends: list[Message] = []

    def run_once(self, limit: int) -> Result:
        """Take all news in."""
        messages, self.lanes.messages = self.lanes.messages, []
        # First what may name secrets: the lines and errors after it are to be written without them.
        for message in messages:
            if message["type"] in ("Ask", "Tell"):
                self.answers.take(message, self.waits.get(message["id"]))
        self._write_logs([message for message in messages if message["type"] == "Log"])
        self._ends += [self._without_secrets(message) for message in messages if message["type"] in _ENDS]
        done = 0
        while self._ends:
            done += self._end(self._ends[:CHUNK])
            del self._ends[:CHUNK]
        return Result(done=done)

    def _without_secrets(self, message: Message) -> Message:
        """Mask why a trigger failed; the payload of an event is data for its task."""
        if message["type"] != "Failed":
            return message
        return {**message, "traceback": self.logs.masker.mask(message["traceback"])}

    def _write_logs(self, messages: Sequence[Message]) -> None:
        records = []
        for message in messages:
            wait = self.waits.get(message["id"])
            if wait is None or wait.log_path is None:
                log.info("runner: %s", self.logs.masker.mask(message["record"].get("event")))
            else:
                records.append((wait.log_path, message["record"]))
        if records:
            self.logs.write(records)

    def _end(self, messages: Sequence[Message]) -> int:
        """End some waits in one transaction; if that cannot be, each in its own (I4)."""
        known = [(message, self.waits[message["id"]]) for message in messages if message["id"] in self.waits]
        now = utcnow()
        try:
            _carry_out(known, now)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            log.exception("%d events cannot be taken together; each is taken alone", len(known))
            for message, wait in known:
                _carry_out_alone(message, wait, now)
        for message in messages:
            self._forget(message)
        return len(known)

    def _forget(self, message: Message) -> None:
        """A wait ends with its first event; a watcher goes on, and rests when it ends all the same."""
        wait = self.waits.get(message["id"])
        if wait is not None and wait.is_watcher:
            if message["type"] == "Event":
                self.rests.note_event(message["id"])
                return
            self.rests.note_end(message["id"])
        self.lanes.forget(message["id"])
        self.waits.pop(message["id"], None)


def _carry_out(everything: Sequence[tuple[Message, Wait]], now: datetime) -> None:
    ends = [(message, wait) for message, wait in everything if not wait.is_callback and not wait.is_watcher]
    resumptions = [_resumption(message, wait) for message, wait in ends if message["type"] != "Ended"]
    direct = [
        EndByTrigger(wait.ti_id, wait.trigger_id, message["state"], message["xcoms"])
        for message, wait in ends
        if message["type"] == "Ended"
    ]
    fault_point("resume.before_commit")
    with transaction.atomic():
        transitions.resume(resumptions, now=now)
        rows = transitions.end_by_trigger(direct, now=now)
        pushed = {item.ti_id: item.xcoms for item in direct if item.xcoms}
        values = [_xcom(row, key, value) for row in rows for key, value in (pushed.get(row.id) or {}).items()]
        if values:
            xcom_set(values, now=now)
        for message, wait in everything:
            if wait.is_watcher and message["type"] == "Event":
                watcher_event(wait.trigger_id, message["payload"], now=now)
            if wait.is_callback:
                callback_trigger_end(wait.trigger_id, wait.dispatch_id, message, now=now)
    fault_point("resume.after_commit")


def _carry_out_alone(message: Message, wait: Wait, now: datetime) -> None:
    try:
        _carry_out([(message, wait)], now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.exception("the event of trigger %d cannot be written", wait.trigger_id)
        failed = {"type": "Failed", "id": wait.trigger_id, "traceback": traceback.format_exception(error)}
        try:
            _carry_out([(failed, wait)], now)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            log.exception("trigger %d cannot even fail; its task waits for its timeout", wait.trigger_id)


def _resumption(message: Message, wait: Wait) -> Resumption:
    if message["type"] == "Event":
        return Resumption(wait.ti_id, wait.trigger_id, event=message["payload"])
    return Resumption(wait.ti_id, wait.trigger_id, failure=TRIGGER_FAILURE, traceback=message["traceback"])


def _xcom(row: TaskInstance, key: str, value: Any) -> XComValue:
    return XComValue(row.dag_run_id, row.dag_id, row.run_id, row.task_id, row.map_index, key, value)
