"""Decides what is said of a failed run in one line: the task that failed first, and its error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.urls import reverse

from runs.cause_words import cause_words
from runs.fingerprints import first_line
from runs.models import DagRun, TaskInstance
from runs.pages.ti_address import path_of_instance
from runs.states import TaskInstanceState

LONGEST = 240
_UNSEEN = ("executor_config", "next_kwargs", "wait_detail", "note")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run failed: ``ti`` is None where no task did."""

    run: DagRun
    ti: TaskInstance | None
    error: str

    @property
    def task(self) -> str:
        """What the task is called, with its index."""
        if self.ti is None:
            return ""
        name = self.ti.task_display_name or self.ti.task_id
        index = self.ti.rendered_map_index or self.ti.map_index
        return name if self.ti.map_index < 0 else f"{name} [{index}]"

    @property
    def url(self) -> str:
        """The log of the task at its first error, or the run."""
        if self.ti is None:
            return reverse("run_detail", args=[self.run.dag_id, self.run.run_id])
        return f"{path_of_instance(self.ti)}?at=error"

    @property
    def clear_url(self) -> str:
        """The dialog that has the failed tasks of the run run again."""
        return reverse("run_clear", args=[self.run.dag_id, self.run.run_id]) + "?mode=failed"


def failures_of(runs: Sequence[DagRun]) -> dict[int, Failure]:
    """Return the failure of each failed run by the run's key, by one query."""
    failed = {run.pk: run for run in runs if run.state == "failed"}
    if not failed:
        return {}
    culprits = TaskInstance.objects.filter(pk__in=_first_failed(list(failed))).defer(*_UNSEEN)
    by_run = {ti.dag_run_id: ti for ti in culprits}
    return {pk: Failure(run, by_run.get(pk), _error(run, by_run.get(pk))) for pk, run in failed.items()}


def _first_failed(runs: list[int]) -> QuerySet[DagRun, Any]:
    """Return for each run the key of the task instance that failed first, by the index of its failed ones."""
    failed = TaskInstance._base_manager.filter(dag_run=OuterRef("pk"), state=TaskInstanceState.FAILED)
    first = Subquery(failed.order_by("end_date", "id").values("pk")[:1])
    # The limit is no limit: PostgreSQL would ask twice for each of what it can fold into the query around it.
    return DagRun.objects.filter(pk__in=runs).order_by().values(culprit=first)[: len(runs)]


def _error(run: DagRun, ti: TaskInstance | None) -> str:
    if ti is None:
        return f"It was stopped by {run.stopped_by}." if run.stopped_by else "No task of it failed: see its events."
    text = first_line(ti.cause_detail) or f"{cause_words(ti.cause)}."
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
