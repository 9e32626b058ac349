"""Decides whether the parts of the platform are healthy: health is progress, a heartbeat alone is not enough (C02-e)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.config import conf
from orchestrator.processes.models import Process

# kind of the Process row, section and option with the seconds after which a heartbeat is too old
PARTS = (
    ("scheduler", ("scheduler", "scheduler_health_check_threshold")),
    ("triggerer", ("triggerer", "triggerer_health_check_threshold")),
    ("dag_processor", ("dag_processor", "health_check_threshold")),
)


@dataclass(frozen=True, slots=True)
class PartHealth:
    """A part: the process of its kind with the newest heartbeat, None where none runs, and whether it goes on."""

    kind: str
    process: Process | None
    is_healthy: bool

    @property
    def name(self) -> str:
        """What people call it."""
        return {"dag_processor": "DAG processor"}.get(self.kind, self.kind.capitalize())

    @property
    def is_stuck(self) -> bool:
        """True where it lives and finishes no round of its work."""
        return self.process is not None and not self.is_healthy


def parts_health(now: datetime, processes: Iterable[Process] | None = None) -> list[PartHealth]:
    """Return the health of each part, by one query; by none where the processes that have not ended are given."""
    if processes is None:
        processes = Process.objects.filter(ended_at=None, kind__in=[kind for kind, _ in PARTS])
    newest = {process.kind: process for process in sorted(processes, key=lambda process: process.heartbeat_at)}
    return [PartHealth(kind, newest.get(kind), _is_healthy(newest.get(kind), now, option)) for kind, option in PARTS]


def _is_healthy(process: Process | None, now: datetime, option: tuple[str, str]) -> bool:
    if process is None:
        return False
    oldest = now - timedelta(seconds=float(conf.get(*option)))
    is_progressing = process.progress_at is None or process.progress_at >= oldest
    return process.heartbeat_at >= oldest and is_progressing
