"""Decides which parts of the platform live, as far as a wait hangs on them; one query for all parts."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from orchestrator.config import conf
from orchestrator.processes.models import Process
from orchestrator.processes.pids import is_alive

KINDS = ("scheduler", "triggerer", "dag_processor", "supervisor")


@dataclass(frozen=True, slots=True)
class Platform:
    """The processes that have not ended."""

    rows: Sequence[Process]
    now: datetime

    def alive(self, kind: str) -> list[Process]:
        """Return those of a kind whose heartbeat is fresh."""
        oldest = self.now - timedelta(seconds=float(conf.get("scheduler", "scheduler_health_check_threshold")))
        return [row for row in self.rows if row.kind == kind and row.heartbeat_at >= oldest]

    def supervisors(self) -> list[Process]:
        """Return the supervisors that are not certainly gone; they have no heartbeat of their own, but their scheduler has."""
        schedulers = {str(row.pk) for row in self.alive("scheduler")}
        found = [row for row in self.rows if row.kind == "supervisor" and _may_live(row)]
        return [row for row in found if row.detail.get("scheduler") is None or row.detail["scheduler"] in schedulers]

    def is_gone(self, process_id: UUID | None) -> bool:
        """Return whether a supervisor is not among the living ones."""
        return process_id not in {row.pk for row in self.supervisors()}


def platform(now: datetime) -> Platform:
    """Read the parts, also those that nothing waits for: who shows the health of all reads them here too."""
    return Platform(list(Process.objects.filter(ended_at=None, kind__in=KINDS)), now)


def _may_live(row: Process) -> bool:
    return row.hostname != socket.gethostname() or is_alive(row.pid, row.pid_started)
