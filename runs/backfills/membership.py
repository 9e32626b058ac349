"""Decides which runs belong to a backfill: never an unfinished one to a backfill that is over (C22-a)."""

from __future__ import annotations

from runs.models import BackfillRun, DagRun


def detach_from_closed(run_pk: int | None = None) -> int:
    """Let a run that begins anew, or any such run, go by its DAG's limits if its backfill is over; returns how many."""
    runs = DagRun.objects.filter(backfill__completed_at__isnull=False)
    runs = runs.unfinished() if run_pk is None else runs.filter(pk=run_pk)
    ids = list(runs.order_by("pk").values_list("pk", flat=True)[:500])
    return DagRun.objects.filter(pk__in=ids).update(backfill=None) if ids else 0


def is_first_of_backfill(run: DagRun) -> bool:
    """Return whether a run is the first of its backfill: its tasks need not look at the past, as in Airflow."""
    if run.backfill_id is None:
        return False
    return BackfillRun.objects.filter(backfill_id=run.backfill_id, dag_run_id=run.pk, sort_ordinal=1).exists()
