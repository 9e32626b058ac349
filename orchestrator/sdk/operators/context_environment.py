"""Decides which facts about the running task a subprocess finds in its environment."""

from __future__ import annotations

from typing import Any


def context_environment(context: Any) -> dict[str, str]:
    """Return ``AIRFLOW_CTX_*`` variables for a running task."""
    ti, run, task = context.get("ti"), context.get("dag_run"), context.get("task")
    facts = {
        "DAG_OWNER": getattr(task, "owner", None),
        "DAG_ID": getattr(ti, "dag_id", None),
        "TASK_ID": getattr(ti, "task_id", None),
        "LOGICAL_DATE": _iso(context.get("logical_date")),
        "TRY_NUMBER": getattr(ti, "try_number", None),
        "DAG_RUN_ID": getattr(run, "run_id", None) or getattr(ti, "run_id", None),
        "DAG_EMAIL": _joined(getattr(task, "email", None)),
    }
    return {f"AIRFLOW_CTX_{name}": str(value) for name, value in facts.items() if value is not None}


def _iso(value: Any) -> str | None:
    return value.isoformat() if hasattr(value, "isoformat") else None


def _joined(email: Any) -> str | None:
    return email if email is None or isinstance(email, str) else ",".join(email)
