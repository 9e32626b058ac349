"""Decides the REST operation on the growth of the database: how large each table is, and what retention will delete."""

from dataclasses import asdict
from typing import Any

from accounts.roles import Role
from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.rest.operations import Call, Operations
from runs.retention.forecast import forecast
from runs.retention.rules import configured_rules, logs_before

operations = Operations("Retention")


@operations.add("GET", "/retention", "get_retention", role=Role.OP)
def get_retention(call: Call) -> dict[str, Any]:
    """Return the rules in use, and size and growth of each table, the largest first."""
    now = utcnow()
    rules = configured_rules(now)
    moments = {
        "dag_runs": rules.runs_before,
        "logs": logs_before(now),
        "events": rules.events_before,
        "audit": rules.audit_before,
        "processes": rules.processes_before,
    }
    tables = [asdict(size) for size in forecast(now)]
    return {
        "enabled": bool(conf.get("retention", "enabled")),
        "older_than": {name: moment.isoformat() if moment else None for name, moment in moments.items()},
        "keep_runs_per_dag": rules.keep_runs,
        "tables": tables,
        "total_bytes": sum(table["bytes"] for table in tables),
        "total_bytes_in_30_days": sum(table["bytes_in_30_days"] for table in tables),
        "total_entries": len(tables),
    }
