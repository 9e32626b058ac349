"""Decides which questions a list holds and what is known of the attempts that asked them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery, TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from runs.models import HITLDetail, TaskInstance, TaskInstanceHistory

# What a list is filtered or ordered by and stands on the attempt -> the attempt's column.
OF_THE_ATTEMPT = {
    "ti_state": "state",
    "ti_operator": "operator",
    "ti_display_name": "task_display_name",
    "ti_index_name": "rendered_map_index",
}
MOST_COUNTED = 100
OF_THE_ANSWER = {"answered_by_id": "id", "answered_by_name": "name"}


def questions(dag_id: str | None, run_id: str | None, columns: Collection[str] = ()) -> QuerySet[HITLDetail]:
    """Return the questions of current attempts.

    Args:
        dag_id: only of this DAG; None for all.
        run_id: only of runs with this id; None for all.
        columns: names out of ``OF_THE_ATTEMPT`` and ``OF_THE_ANSWER`` to annotate; the others cost nothing.
    """
    own = TaskInstance.objects.filter(pk=OuterRef("ti_id"))
    rows = HITLDetail.objects.filter(Exists(own))
    if dag_id is not None:
        rows = rows.filter(dag_run__dag_id=dag_id)
    if run_id is not None:
        rows = rows.filter(dag_run__run_id=run_id)
    extra: dict[str, Any] = {n: Subquery(own.values(c)[:1]) for n, c in OF_THE_ATTEMPT.items() if n in columns}
    # As a text and no longer as JSON, so that filters compare it with texts.
    texts = {name: Cast(KeyTextTransform(key, "responded_by"), TextField()) for name, key in OF_THE_ANSWER.items()}
    extra |= {name: text for name, text in texts.items() if name in columns}
    return rows.annotate(**extra)


def params_of(question: HITLDetail) -> dict[str, Any]:
    """Return the params of the form; a bare value is written like a param without schema."""
    full = ("description", "schema", "value")
    return {
        name: value
        if isinstance(value, dict) and all(key in value for key in full)
        else {"value": value, "description": None, "schema": {}}
        for name, value in (question.params or {}).items()
    }


def attach_attempts(rows: Sequence[HITLDetail]) -> list[TaskInstance]:
    """Give each question its attempt as ``task_instance``; returns the attempts."""
    found = TaskInstance.objects.select_related("dag_run").in_bulk([row.ti_id for row in rows])
    for row in rows:
        row.task_instance = found[row.ti_id]  # type: ignore[attr-defined]
    return list(found.values())


def attempt_of(
    dag_id: str, run_id: str, task_id: str, map_index: int, try_number: int | None = None
) -> TaskInstance | TaskInstanceHistory | None:
    """Return the current attempt, or that of a try; None where there is none."""
    place: dict[str, Any] = {"dag_run__dag_id": dag_id, "dag_run__run_id": run_id, "task_id": task_id, "map_index": map_index}
    if try_number is None:
        return TaskInstance.objects.select_related("dag_run").filter(**place).first()
    place["try_number"] = try_number
    past = TaskInstanceHistory.objects.select_related("dag_run").filter(**place).order_by("-id").first()
    return past or TaskInstance.objects.select_related("dag_run").filter(**place).first()


def waiting() -> QuerySet[HITLDetail]:
    """Return the questions that wait for an answer."""
    return HITLDetail.objects.filter(responded_at__isnull=True)


def count_of_dag(dag_id: str) -> int:
    """Return how many questions of a DAG wait for an answer; no more than ``MOST_COUNTED`` are counted."""
    return HITLDetail.objects.filter(responded_at__isnull=True, dag_run__dag_id=dag_id)[:MOST_COUNTED].count()


def count_of_run(run_pk: int, **narrower: Any) -> int:
    """Return how many questions a run has asked, or one of its task instances (``task_id``, ``map_index``)."""
    return HITLDetail.objects.filter(dag_run_id=run_pk, **narrower)[:MOST_COUNTED].count()
