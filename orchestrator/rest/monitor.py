"""Decides what the API says about the platform itself: its version and whether its parts make progress."""

from typing import Any

from django.db import DatabaseError

from orchestrator.kernel.clock import utcnow
from orchestrator.processes.health import PARTS, parts_health
from orchestrator.processes.models import Process
from orchestrator.processes.selectors import processes_latest
from orchestrator.rest.operations import Call, Operations
from orchestrator.version import AIRFLOW_VERSION, VERSION
from runs.dispatch_lag import stuck_dispatch

operations = Operations("Monitor")


@operations.add("GET", "/version", "get_version", role=None)
def get_version(call: Call) -> dict[str, Any]:
    """Return the Airflow version whose interfaces are spoken, and the build."""
    return {"version": AIRFLOW_VERSION, "git_version": f"orchestrator {VERSION}"}


@operations.add("GET", "/monitor/health", "get_health", role=None)
def get_health(call: Call) -> dict[str, Any]:
    """Return the health of database, scheduler, triggerer and DAG processor; always 200, as in Airflow."""
    now = utcnow()
    try:
        found = parts_health(now)
        ended = processes_latest(part.kind for part in found if part.process is None)
        is_stuck = stuck_dispatch(now) is not None
    except DatabaseError:
        return {"metadatabase": {"status": "unhealthy"}} | {kind: _part(kind, None, False) for kind, _ in PARTS}
    # A scheduler that beats, while what could begin does not, is not healthy either (C02-e).
    parts = {part.kind: part.is_healthy and not (is_stuck and part.kind == "scheduler") for part in found}
    shown = {part.kind: _part(part.kind, part.process or ended.get(part.kind), parts[part.kind]) for part in found}
    return {"metadatabase": {"status": "healthy"}} | shown


def _part(name: str, process: Process | None, healthy: bool) -> dict[str, Any]:
    # A part that was never started has no status; the scheduler must always be there.
    status = None if process is None and name != "scheduler" else "healthy" if healthy else "unhealthy"
    return {"status": status, f"latest_{name}_heartbeat": process.heartbeat_at.isoformat() if process else None}
