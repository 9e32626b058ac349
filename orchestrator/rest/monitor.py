"""Decides what the API says about the platform itself: its version and whether its parts make progress."""

from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError

from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.processes.models import Process
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.schemas import instant
from orchestrator.version import AIRFLOW_VERSION, VERSION
from runs.dispatch_lag import stuck_dispatch

operations = Operations("Monitor")

# kind of the Process row, name in the answer, section and option with the seconds after which a heartbeat is too old
_PARTS = (
    ("scheduler", "scheduler", ("scheduler", "scheduler_health_check_threshold")),
    ("triggerer", "triggerer", ("triggerer", "triggerer_health_check_threshold")),
    ("dag_processor", "dag_processor", ("dag_processor", "health_check_threshold")),
)


@operations.add("GET", "/version", "get_version", role=None)
def get_version(call: Call) -> dict[str, Any]:
    """Return the Airflow version whose interfaces are spoken, and the build."""
    return {"version": AIRFLOW_VERSION, "git_version": f"orchestrator {VERSION}"}


@operations.add("GET", "/monitor/health", "get_health", role=None)
def get_health(call: Call) -> dict[str, Any]:
    """Return the health of database, scheduler, triggerer and DAG processor; always 200, as in Airflow."""
    now = utcnow()
    try:
        latest = {kind: _latest(kind) for kind, _, _ in _PARTS}
        is_stuck = stuck_dispatch(now) is not None
    except DatabaseError:
        return {"metadatabase": {"status": "unhealthy"}} | {name: _part(name, None, False) for _, name, _ in _PARTS}
    healthy = {kind: _is_healthy(latest[kind], now, option) for kind, _, option in _PARTS}
    healthy["scheduler"] &= not is_stuck  # it beats, and what could begin does not (C02-e)
    parts = {name: _part(name, latest[kind], healthy[kind]) for kind, name, _ in _PARTS}
    return {"metadatabase": {"status": "healthy"}} | parts


def _latest(kind: str) -> Process | None:
    return Process.objects.filter(kind=kind, ended_at=None).order_by("-heartbeat_at").first()


def _part(name: str, process: Process | None, healthy: bool) -> dict[str, Any]:
    # A part that was never started has no status; the scheduler must always be there.
    status = None if process is None and name != "scheduler" else "healthy" if healthy else "unhealthy"
    return {"status": status, f"latest_{name}_heartbeat": instant(process.heartbeat_at) if process else None}


def _is_healthy(process: Process | None, now: datetime, option: tuple[str, str]) -> bool:
    """Health is progress: a heartbeat of a part whose rounds no longer end is not enough (C02-e)."""
    if process is None:
        return False
    oldest = now - timedelta(seconds=float(conf.get(*option)))
    is_progressing = process.progress_at is None or process.progress_at >= oldest
    return process.heartbeat_at >= oldest and is_progressing
