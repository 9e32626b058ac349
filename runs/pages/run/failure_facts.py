"""Decides what is asked about the failures of a run beside what they say: all of it by one query.

The instances that stand for them, what the same tasks said in the runs before, the newest failures of all DAGs, and the version
of the last success.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import JSONField, Q, QuerySet, Subquery, Value
from django.db.models.functions import Substr

from dags_app.models import DagVersion
from orchestrator.listing import ListOf, ask_once
from runs.fingerprints import LOOKED_AT
from runs.models import DagRun, TaskInstance
from runs.pages.run.failures import Failure
from runs.states import TaskInstanceState as S

MOST_ROWS = 1000
# The newest failures of all DAGs that are looked at for the same error.
NEWEST_FAILURES = 200
_OF_LEAD = (
    *("dag_id", "run_id", "task_id", "map_index", "rendered_map_index", "try_number", "max_tries"),
    *("cause", "cause_detail", "exit_code", "signal", "peak_rss_kb", "hostname"),
)
_OF_VERSION = ("dag_version__version_number", "dag_version__dag__relative_fileloc", "dag_version__code__source_code")
_TEXT = ("task_id", "cause", "text")


@dataclass(frozen=True, slots=True)
class FailureFacts:
    """The answers.

    Attributes:
        leads: columns of the instances that stand for failures, and of the version that each had.
        before: (task id, cause, text, key of the run) of failures in the runs before.
        elsewhere: (task id, cause, text, DAG id) of the newest failures of all DAGs.
        version_before: the number of the version of the last success.
    """

    leads: Sequence[Sequence[Any]] | None
    before: Sequence[tuple[str, str | None, str | None, int]] | None
    elsewhere: Sequence[tuple[str, str | None, str | None, str]] | None
    version_before: int | None


def ask(run: DagRun, failures: Sequence[Failure], earlier: Sequence[DagRun], last_success: DagRun | None) -> FailureFacts:
    """Return what is to be known about some failures, and give each the instance that stands for it; ``earlier``: runs before."""
    versions = DagVersion.objects.filter(pk__in=[last_success.created_dag_version_id] if last_success else [])
    columns: dict[str, Any] = {
        "leads": ListOf(_leads(run, failures), *_OF_LEAD, *_OF_VERSION),
        "before": _before(run.dag_id, {task_id for failure in failures for task_id in failure.task_ids[:5]}, earlier),
        "elsewhere": ListOf(_newest_failures(), *_TEXT, "dag_id"),
        "version_before": Subquery(versions.values("version_number")),
    }
    facts = FailureFacts(**ask_once(**columns))
    _attach_leads(run, failures, facts.leads or ())
    return facts


def _leads(run: DagRun, failures: Sequence[Failure]) -> QuerySet[TaskInstance]:
    wanted = Q(pk__in=[])
    for failure in failures:
        task_id, map_index, _ = failure.members[0]
        wanted |= Q(task_id=task_id, map_index=map_index)
    return TaskInstance.objects.filter(wanted, dag_run_id=run.pk).order_by()


def _attach_leads(run: DagRun, failures: Sequence[Failure], rows: Sequence[Sequence[Any]]) -> None:
    found = {}
    for row in rows:
        lead = TaskInstance(**dict(zip(_OF_LEAD, row, strict=False)), dag_run=run, state=S.FAILED)
        found[lead.task_id, lead.map_index] = lead, row[len(_OF_LEAD) :]
    for failure in failures:
        if (known := found.get(failure.members[0][:2])) is not None:
            failure.lead, (failure.version, failure.file, failure.source) = known


def _before(dag_id: str, task_ids: Collection[str], runs: Sequence[DagRun]) -> ListOf | Value:
    if not runs:
        return Value(None, JSONField())
    failed = TaskInstance.objects.filter(
        dag_id=dag_id, task_id__in=task_ids, dag_run_id__in=[run.pk for run in runs], state=S.FAILED
    )
    columns = (*_TEXT, "dag_run_id")
    return ListOf(_with_text(failed.order_by()).values(*columns).distinct()[:MOST_ROWS], *columns)


def _newest_failures() -> QuerySet[TaskInstance]:
    """The index of states gives them in order."""
    return _with_text(TaskInstance.objects.filter(state=S.FAILED, map_index=-1)).order_by("-id")[:NEWEST_FAILURES]


def _with_text(rows: QuerySet[TaskInstance]) -> QuerySet[TaskInstance]:
    return rows.annotate(text=Substr("cause_detail", 1, LOOKED_AT))
