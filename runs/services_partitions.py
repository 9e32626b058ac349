"""Decides how a run loses its partition: it counts as a run without one from then on."""

from __future__ import annotations

from accounts.services import audit_write
from orchestrator.database import notify_on_commit
from runs.changes import SCHEDULER_TOPIC
from runs.models import DagRun


def partition_forget(run: DagRun, *, actor: str) -> None:
    """Take key and date of the partition from a run, inside the caller's transaction."""
    before = {"partition_key": run.partition_key, "partition_date": run.partition_date and run.partition_date.isoformat()}
    DagRun.objects.filter(pk=run.pk).update(partition_key=None, partition_date=None)
    audit_write("clear_partition", actor=actor, dag_id=run.dag_id, run_id=run.run_id, before=before)
    notify_on_commit(SCHEDULER_TOPIC)
