"""Decides what the list of deadlines shows: whose, until when, whether it was met, and whether it is likely to be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from dags_app.api.queries import attach_names
from orchestrator.kernel.clock import utcnow
from orchestrator.rest.params import Param, between, matching, params
from orchestrator.ui.lists import Column, Filter, ListSpec
from runs.api.callbacks import DEADLINE_ORDER, DEADLINES
from runs.deadlines.selectors import deadlines, predict
from runs.models import Deadline


def deadlines_shown() -> QuerySet[Deadline]:
    """Return deadlines with their runs and callbacks, in no order."""
    return deadlines().defer("dag_run__conf", "dag_run__wait_detail", "dag_run__note").order_by()


def attach(rows: Sequence[Any]) -> None:
    """Load names, and for what is pending the end that is to be expected; one query for all DAGs of the page."""
    attach_names(rows)
    pending = [row for row in rows if row.state == Deadline.State.PENDING]
    expected = {item.deadline.pk: item for item in predict(pending, utcnow())}
    for row in rows:
        row.name = row.alert.get("name") or ""
        row.upcoming = expected.get(row.pk)


LIST = ListSpec(
    name="deadlines",
    params=params(*DEADLINES.items, Param("cursor"), *matching("dag_id", "dag_id"), *between("deadline_time", "deadline_time")),
    order=DEADLINE_ORDER,
    columns=(
        Column("state", "State", "state"),
        Column("deadline_time", "Deadline", "deadline_time"),
        Column("dag", "DAG", "dag_id", text=lambda row: row.dag_id),
        Column("run", "Run", text=lambda row: row.dag_run.run_id),
        Column("task_id", "Task"),
        Column("name", "Alert"),
        Column("expected", "Expected end", text=lambda row: row.upcoming.predicted_end if row.upcoming else None),
        Column("ended_at", "Decided"),
        Column("callback", "Callback", text=lambda row: row.callback.state if row.callback else ""),
    ),
    filters=(
        Filter("dag_id_pattern", "DAG id", "search"),
        Filter("state", "State", "choices", tuple((word, word) for word in Deadline.State.values)),
        Filter("deadline_time", "Deadline", "dates"),
        Filter("dag_run_id", "Run id", hint="exactly"),
    ),
    default_order=("-deadline_time",),
    keyset=True,
    noun="deadline",
)
