"""Decides what the supervisor knows about one attempt."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from orchestrator.sdk.execution.client import Credentials
from orchestrator.sdk.execution.supervisor.endings import Exit

if TYPE_CHECKING:
    from orchestrator.sdk.execution.supervisor.hosts import Host
    from orchestrator.sdk.execution.supervisor.loop import Timer
    from orchestrator.sdk.execution.supervisor.streams import Streams
    from orchestrator.sdk.execution.supervisor.task_log import Masker, TaskLog

Message = dict[str, Any]


class Stage(Enum):
    """How far an attempt is; it only moves forward."""

    LAUNCHING = "its process is being made"
    STARTING = "the server is asked whether it may run"
    RUNNING = "the task runs"
    ENDED = "its process is gone"


@dataclass(slots=True)
class Stop:
    """Why the supervisor ends an attempt, and whether it tells the server about it."""

    cause: str
    reason: str
    report: bool


@dataclass(slots=True, eq=False)
class Attempt:
    """One try of one task instance, from its workload to its last report."""

    workload: Message
    credentials: Credentials
    dispatch_id: str | None
    log: TaskLog
    masker: Masker
    stage: Stage = Stage.LAUNCHING
    pid: int = 0
    launches: int = 0
    host: Host | None = None
    streams: Streams | None = None
    context: Message = field(default_factory=dict)
    start_date: str = ""
    lease_until: float = float("inf")
    stop: Stop | None = None
    end: Exit | None = None
    final: Message | None = None
    final_answered: bool = False
    reported: bool = False
    cause: str | None = None
    refusal: str | None = None
    timers: list[Timer] = field(default_factory=list)

    @property
    def ti_id(self) -> str:
        """Id of the attempt, which is the task instance's."""
        return str(self.workload["ti"]["id"])

    @property
    def task_key(self) -> tuple[str, str, str, int]:
        """The task instance, whichever attempt of it this is."""
        ti = self.workload["ti"]
        return (ti["dag_id"], ti["run_id"], ti["task_id"], ti.get("map_index", -1))

    @property
    def is_alive(self) -> bool:
        """Whether a process may be running for it."""
        return self.pid > 0 and self.end is None

    @property
    def should_retry(self) -> bool:
        """Whether the author's retries allow another try."""
        return bool(self.context.get("should_retry"))

    def drop_timers(self) -> None:
        """Forget everything that was planned for it."""
        for timer in self.timers:
            timer.cancel()
        self.timers.clear()


def dispatch_id_of(token: str) -> str | None:
    """Read the dispatch id out of a workload token without verifying it; None if the token has none."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["dispatch_id"]) if claims.get("dispatch_id") is not None else None
    except (ValueError, IndexError, AttributeError):
        return None
