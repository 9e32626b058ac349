"""Decides how others read runs."""

from __future__ import annotations

from orchestrator.sdk.definitions.timetables import DataInterval
from runs.models import DagRun
from runs.states import DagRunType


def last_automated_interval(dag_id: str) -> DataInterval | None:
    """Return the data interval of the newest run that a schedule made; a partitioned run counts at its due time."""
    runs = DagRun.objects.filter(dag_id=dag_id, run_type=DagRunType.SCHEDULED).order_by("-run_after", "-pk")
    found = runs.values_list("data_interval_start", "data_interval_end", "run_after").first()
    if found is None:
        return None
    start, end, run_after = found
    return DataInterval(start or run_after, end or run_after)
