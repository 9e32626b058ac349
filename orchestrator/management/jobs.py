"""Decides how parts of the platform are shown as Airflow's jobs."""

from __future__ import annotations

from typing import Any

KINDS = {"SchedulerJob": "scheduler", "TriggererJob": "triggerer", "DagProcessorJob": "dag_processor"}
JOB_STATES = ("running", "success", "restarting", "failed")


def job_rows(state: str | None, limit: int | None) -> list[dict[str, Any]]:
    """Return the parts, the newest first, in Airflow's words: one that stopped beating has failed."""
    from orchestrator.kernel.clock import utcnow
    from orchestrator.processes.models import Process
    from orchestrator.processes.selectors import processes_alive

    types = {kind: job for job, kind in KINDS.items()}
    alive = {pk for kind in types.values() for pk in processes_alive(KINDS[kind], utcnow()).values_list("pk", flat=True)}
    rows = []
    for process in Process.objects.filter(kind__in=types).order_by("-started_at").iterator():
        found = "success" if process.ended_at else "running" if process.pk in alive else "failed"
        if state in (None, found):
            # Airflow prints None as a word here.
            dates = {"start_date": str(process.started_at), "end_date": str(process.ended_at)}
            rows.append({"dag_id": "None", "state": found, "job_type": types[process.kind]} | dates)
        if limit is not None and len(rows) >= limit:
            break
    return rows
