"""Decides when leases are renewed, and when an attempt whose lease cannot be renewed is ended before others may take it."""

from __future__ import annotations

import logging
import time

from orchestrator.kernel.faults import fault_point
from orchestrator.sdk.execution.answers import Answer, Patience
from orchestrator.sdk.execution.client import ApiRequest, BatchClient
from orchestrator.sdk.execution.supervisor.attempt import Attempt, Message, Stage, Stop
from orchestrator.sdk.execution.supervisor.attempts import Attempts
from orchestrator.sdk.execution.supervisor.loop import Loop
from orchestrator.sdk.execution.supervisor.settings import SupervisorSettings

log = logging.getLogger(__name__)

KILL_MARGIN_SHARE = 0.1


class Heartbeats:
    """One beat for all running attempts per `heartbeat_seconds`; they share a request."""

    def __init__(self, loop: Loop, settings: SupervisorSettings, client: BatchClient, attempts: Attempts) -> None:
        self._loop, self._settings, self._client, self._attempts = loop, settings, client, attempts
        self._under_way: set[str] = set()
        loop.call_later(settings.heartbeat_seconds, self._beat)
        loop.call_later(self._check_seconds, self._check_leases)

    @property
    def _check_seconds(self) -> float:
        return min(1.0, self._settings.lease_seconds / 20)

    def _beat(self) -> None:
        self._loop.call_later(self._settings.heartbeat_seconds, self._beat)
        fault_point("supervisor.before_heartbeat")
        for attempt in self._attempts.by_id.values():
            if attempt.stage is Stage.RUNNING and attempt.ti_id not in self._under_way:
                self._renew(attempt)

    def _renew(self, attempt: Attempt) -> None:
        self._under_way.add(attempt.ti_id)
        sent = time.monotonic()
        self._client.submit(
            ApiRequest(
                "PUT",
                f"task-instances/{attempt.ti_id}/heartbeat",
                {"hostname": self._settings.hostname, "pid": attempt.pid},
                attempt.credentials,
                f"heartbeat {attempt.ti_id}",
                Patience.BEAT,
                lambda answer: self._on_answer(attempt, sent, answer),
            )
        )

    def _on_answer(self, attempt: Attempt, sent: float, answer: Answer) -> None:
        self._under_way.discard(attempt.ti_id)
        if answer.ok or answer.lease_is_kept:
            attempt.lease_until = sent + self._settings.lease_seconds
        elif answer.status in (404, 409, 410) and attempt.is_alive and attempt.final is None:
            self._attempts.stop(attempt, Stop(_cause(answer), _reason(answer), report=False))

    def _check_leases(self) -> None:
        self._loop.call_later(self._check_seconds, self._check_leases)
        limit = time.monotonic() + self._settings.lease_seconds * KILL_MARGIN_SHARE
        for attempt in list(self._attempts.by_id.values()):
            if attempt.stage is Stage.RUNNING and attempt.is_alive and attempt.lease_until < limit:
                reason = (
                    f"The lease of {self._settings.lease_seconds:g} s could not be renewed: the API server did not answer. "
                    "The task is ended before another worker may start it again."
                )
                log.warning("Attempt %s: %s", attempt.ti_id, reason)
                attempt.lease_until = float("inf")
                self._attempts.stop(attempt, Stop("lease_lost", reason, report=True), at_once=True)


def _cause(answer: Answer) -> str:
    reason = str(answer.detail.get("reason") or "")
    return reason if reason in ("cleared", "marked", "lease_lost", "dagrun_timeout", "heartbeat_timeout") else "marked"


def _reason(answer: Answer) -> str:
    detail: Message = answer.detail
    said = detail.get("message") or detail.get("reason") or answer.body
    state = f" (state is now {detail['current_state']})" if detail.get("current_state") else ""
    actor = f" by {detail['actor']}" if detail.get("actor") else ""
    return f"The server stopped this attempt: {said}{actor}{state}"
