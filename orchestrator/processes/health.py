"""Decides whether the parts of the platform are healthy: health is progress, a heartbeat alone is not enough (C02-e)."""

from __future__ import annotations

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


def parts_health(now: datetime) -> list[PartHealth]:
    """Return the health of each part."""
    found = []
    for kind, option in PARTS:
        process = Process.objects.filter(kind=kind, ended_at=None).order_by("-heartbeat_at").first()
        found.append(PartHealth(kind, process, _is_healthy(process, now, option)))
    return found


def _is_healthy(process: Process | None, now: datetime, option: tuple[str, str]) -> bool:
    if process is None:
        return False
    oldest = now - timedelta(seconds=float(conf.get(*option)))
    is_progressing = process.progress_at is None or process.progress_at >= oldest
    return process.heartbeat_at >= oldest and is_progressing
