"""Decides which rows the REST operations on runs read, with a constant number of queries, whatever a page holds."""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db.models import Case, F, QuerySet, Sum, When
from django.db.models.functions import Coalesce

from dags_app.api.queries import attach_names, dag_or_404, versions_by_id
from orchestrator.rest.errors import NotFoundError, RestError
from runs.api.ended_attempts import show_ended_attempts
from runs.models import DagRun, Pool, RenderedFields, TaskInstance, Trigger, XCom

ANY = "~"

# What no answer about task instances shows. A page of 100 has 100 runs beside it, and of those it needs a few instants.
_UNSEEN = (
    *("dispatch_id", "queued_by", "retry_at", "trigger_timeout", "next_method", "next_kwargs", "cause", "cause_detail"),
    *("exit_code", "signal", "peak_rss_kb", "infra_tries", "wait_reason", "wait_detail", "wait_since", "note_user"),
)
_SEEN_OF_RUN = ("id", "logical_date", "run_after", "data_interval_start", "data_interval_end")


def runs(dag_id: str) -> QuerySet[DagRun]:
    """The runs of one DAG, or of all; raises ``NotFoundError`` for an unknown DAG."""
    if dag_id == ANY:
        return DagRun.objects.all()
    return DagRun.objects.filter(dag=dag_or_404(dag_id))


def run_or_404(dag_id: str, run_id: str) -> DagRun:
    """Return one run. Raises ``NotFoundError``."""
    run = DagRun.objects.filter(dag_id=dag_id, run_id=run_id).first()
    if run is None:
        raise NotFoundError(f"The DagRun with dag_id: `{dag_id}` and run_id: `{run_id}` was not found")
    return run


def attach_to_runs(rows: Sequence[DagRun]) -> None:
    """Load DAG names and versions for a page of runs.

    A run has more than one version only after a clear took a newer one, so only such runs have their tasks asked.
    """
    wanted = {run.pk: {run.created_dag_version_id} for run in rows}
    cleared = [run.pk for run in rows if run.clear_number]
    if cleared:
        used = TaskInstance.objects.filter(dag_run_id__in=cleared).values_list("dag_run_id", "dag_version_id").distinct()
        for run_id, version_id in used:
            wanted[run_id].add(version_id)
    versions = versions_by_id(version_id for ids in wanted.values() for version_id in ids)
    for run in rows:
        found = [versions[version_id] for version_id in wanted[run.pk] if version_id in versions]
        run.shown_versions = sorted(found, key=lambda version: version.version_number)  # type: ignore[attr-defined]
    attach_names(rows)


def task_instances(dag_id: str, run_id: str) -> QuerySet[TaskInstance]:
    """The task instances of one run, or of all with ``~``; raises ``RestError`` for an unknown one."""
    rows = TaskInstance.objects.select_related("dag_run").defer(*_UNSEEN, *_unseen_of_run())
    if run_id != ANY:
        if dag_id == ANY:
            raise RestError(400, "dag_id is required when dag_run_id is specified")
        run = DagRun.objects.filter(dag_id=dag_id, run_id=run_id).first()
        if run is None:
            raise NotFoundError(f"DagRun with dag_id: `{dag_id}` and run_id: `{run_id}` was not found")
        return rows.filter(dag_run=run)
    return rows if dag_id == ANY else rows.filter(dag_id=dag_or_404(dag_id).pk)


@lru_cache(maxsize=1)
def _unseen_of_run() -> tuple[str, ...]:
    return tuple(f"dag_run__{field.name}" for field in DagRun._meta.concrete_fields if field.name not in _SEEN_OF_RUN)


def attach_to_task_instances(rows: Sequence[TaskInstance]) -> None:
    """Load DAG names, versions, rendered fields and triggers for a page of task instances."""
    attach_to_tries(rows)
    ended = show_ended_attempts(rows)
    fields = RenderedFields.objects.in_bulk([ended.get(ti.pk, ti.pk) for ti in rows])
    waiting = {ti.trigger_id for ti in rows if ti.trigger_id is not None}
    triggers = Trigger.objects.in_bulk(waiting) if waiting else {}
    for ti in rows:
        ti.shown_fields = _document(fields.get(ended.get(ti.pk, ti.pk)))  # type: ignore[attr-defined]
        ti.shown_trigger = triggers.get(ti.trigger_id)  # type: ignore[attr-defined]


def attach_to_tries(rows: Sequence[Any]) -> None:
    """Load DAG names and versions for a page of tries."""
    versions = versions_by_id(ti.dag_version_id for ti in rows)
    for ti in rows:
        ti.shown_version = versions.get(ti.dag_version_id)
    attach_names(rows)


def attach_to_xcoms(rows: Sequence[XCom]) -> None:
    """Load DAG and task names for a page of XComs."""
    attach_names(rows)
    keys = {(row.dag_run_id, row.task_id) for row in rows}
    asked = TaskInstance.objects.filter(dag_run_id__in={key[0] for key in keys}, task_id__in={key[1] for key in keys})
    # The first index has the name that the author gave.
    first = asked.filter(map_index__lte=0)
    names = {(r, t): name for r, t, name in first.values_list("dag_run_id", "task_id", "task_display_name")}
    for row in rows:
        row.shown_task_name = names.get((row.dag_run_id, row.task_id)) or row.task_id  # type: ignore[attr-defined]


def attach_to_pools(rows: Sequence[Pool]) -> None:
    """Count the slots in use of a page of pools by one query."""
    states = ("running", "queued", "scheduled", "deferred")
    sums = {state: Coalesce(Sum(Case(When(state=state, then=F("pool_slots")), default=0)), 0) for state in states}
    # Slots are counted whoever asks: what hidden DAGs occupy is not free.
    chosen = TaskInstance._base_manager.filter(pool__in=[pool.pool for pool in rows], state__in=states)
    counted = {row["pool"]: row for row in chosen.values("pool").annotate(**sums)}
    for pool in rows:
        used: Any = counted.get(pool.pool, {})
        for state in states:
            setattr(pool, f"{state}_slots", used.get(state, 0))
        occupied = used.get("running", 0) + used.get("queued", 0)
        occupied += used.get("deferred", 0) if pool.include_deferred else 0
        pool.occupied_slots = occupied  # type: ignore[attr-defined]
        pool.open_slots = -1 if pool.slots < 0 else pool.slots - occupied  # type: ignore[attr-defined]


def _document(row: RenderedFields | None) -> dict[str, Any]:
    try:
        found = json.loads(row.fields) if row else {}
    except ValueError:
        # One broken row must not break the list (I4).
        return {}
    return found if isinstance(found, dict) else {}
