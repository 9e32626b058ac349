"""Decides how deliveries are read: for pages, the REST API and metrics."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, QuerySet

from runs.models import AlertMute, Callback


def deliveries(dag_id: str | None = None, run_id: str | None = None) -> QuerySet[Callback]:
    """Return deliveries with their runs, newest first."""
    rows = Callback.objects.select_related("dag_run").order_by("-pk")
    if dag_id is not None:
        rows = rows.filter(dag_id=dag_id)
    return rows if run_id is None else rows.filter(dag_run__run_id=run_id)


def deliveries_by_state() -> dict[str, int]:
    """Return how many deliveries there are in each state, for metrics."""
    return dict(Callback.objects.order_by().values_list("state").annotate(number=Count("pk")))


def mute_of(dag_id: str, now: datetime) -> AlertMute | None:
    """Return the mute of a DAG that holds now."""
    return AlertMute.objects.filter(dag_id=dag_id, until__gt=now).first()
