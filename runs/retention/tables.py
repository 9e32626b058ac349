"""Decides which tables beside those of runs are cleaned, by which column, and what of them stays however old it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.sessions.models import Session
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from accounts.models import AuditLog
from dags_app.models import Dag, DagCode, DagVersion, ParseImportError
from orchestrator.processes.models import Process
from runs.models import (
    AssetDelivery,
    AssetEvent,
    Backfill,
    BulkAction,
    BulkFailure,
    Callback,
    DagRun,
    PartitionArrival,
    TaskInstance,
    TaskInstanceHistory,
    Trigger,
)
from runs.retention.rules import Rules

Rows = QuerySet[Any]


@dataclass(frozen=True, slots=True)
class Flat:
    """One table whose rows go by their own age.

    ``age`` is the column of time, ``before`` says which of the moments counts, ``narrow`` leaves out what is in use.
    ``grows_in_order``: the primary key grows with the column of time.
    """

    table: str
    model: type[Model]
    age: str
    before: Callable[[Rules], datetime | None]
    narrow: Callable[[Rows], Rows] = lambda rows: rows
    dag_column: str = ""
    grows_in_order: bool = False

    def narrowed(self, rows: Rows, rules: Rules) -> Rows:
        """Return what of the rows may go, of the DAGs that the rules name."""
        rows = self.narrow(rows)
        if rules.only_dags:
            rows = rows.filter(**{f"{self.dag_column}__in": rules.only_dags}) if self.dag_column else rows.none()
        return rows.exclude(**{f"{self.dag_column}__in": rules.not_dags}) if rules.not_dags and self.dag_column else rows


def _taken_events(rows: Rows) -> Rows:
    """Events that no consumer waits for any more."""
    waiting = AssetDelivery.objects.filter(event=OuterRef("pk"), dag_run=None, dropped_reason="")
    open_keys = PartitionArrival.objects.filter(event=OuterRef("pk"), wait__dag_run=None)
    return rows.filter(~Exists(waiting), ~Exists(open_keys))


def _ended_callbacks(rows: Rows) -> Rows:
    return rows.exclude(state__in=[Callback.State.PENDING, Callback.State.RUNNING])


def _ended_actions(rows: Rows) -> Rows:
    return rows.exclude(ended_at=None)


def _of_ended_actions(rows: Rows) -> Rows:
    """They go first, a batch at a time: with its action would go a thousand of each."""
    return rows.exclude(action__ended_at=None)


def _gone_processes(rows: Rows) -> Rows:
    """Parts that left or died long ago; a row that a run still names stays until another scheduler has the run."""
    return rows.filter(~Exists(DagRun.objects.unfinished().filter(scheduler_id=OuterRef("pk"))))


def _errors_of_gone_bundles(rows: Rows) -> Rows:
    """An error of a file that is there stays until the author mends it."""
    return rows.filter(bundle__is_active=False)


def _unused_versions(rows: Rows) -> Rows:
    """Versions that neither a DAG nor a run nor an attempt uses (C18-c)."""
    users = (
        Dag.objects.filter(latest_version=OuterRef("pk")),
        DagRun.objects.filter(created_dag_version=OuterRef("pk")),
        TaskInstance.objects.filter(dag_version=OuterRef("pk")),
        TaskInstanceHistory.objects.filter(dag_version=OuterRef("pk")),
    )
    return rows.filter(*(~Exists(user) for user in users))


def _unused_code(rows: Rows) -> Rows:
    return rows.filter(~Exists(DagVersion.objects.filter(code=OuterRef("pk"))))


def _orphaned_triggers(rows: Rows) -> Rows:
    """Waits of attempts that are gone or wait no more."""
    waiting = TaskInstance.objects.filter(pk=OuterRef("ti_id"), trigger_id=OuterRef("pk"))
    return rows.filter(Q(ti_id__isnull=False), ~Exists(waiting))


def _ended_backfills(rows: Rows) -> Rows:
    return rows.filter(~Exists(DagRun.objects.filter(backfill=OuterRef("pk"))))


def _of_runs(rules: Rules) -> datetime | None:
    return rules.runs_before


def _of_events(rules: Rules) -> datetime | None:
    return rules.events_before


FLAT = (
    Flat("asset_event", AssetEvent, "timestamp", _of_events, _taken_events, "source_dag_id", grows_in_order=True),
    Flat("callback", Callback, "created_at", _of_events, _ended_callbacks, "dag_id", grows_in_order=True),
    Flat("bulk_failure", BulkFailure, "at", _of_events, _of_ended_actions, "dag_id", grows_in_order=True),
    Flat("bulk_action", BulkAction, "created_at", _of_events, _ended_actions, grows_in_order=True),
    Flat("trigger", Trigger, "created_date", _of_events, _orphaned_triggers),
    Flat("import_error", ParseImportError, "timestamp", _of_events, _errors_of_gone_bundles),
    Flat("session", Session, "expire_date", _of_events),
    Flat("job", Process, "heartbeat_at", lambda rules: rules.processes_before, _gone_processes),
    Flat("log", AuditLog, "when", lambda rules: rules.audit_before, dag_column="dag_id", grows_in_order=True),
    Flat("backfill", Backfill, "completed_at", _of_runs, _ended_backfills, "dag_id"),
    Flat("dag_version", DagVersion, "created_at", _of_runs, _unused_versions, "dag_id"),
    Flat("dag_code", DagCode, "created_at", _of_runs, _unused_code),
)

# Airflow's names, where they are not the words of the model with underscores.
_NAMES = {
    "TaskState": "task_state_store",
    "XCom": "xcom",
    "HITLDetail": "hitl_detail",
    "RenderedFields": "rendered_task_instance_fields",
}


def table_name(model: type[Model]) -> str:
    """Return the name of a table as Airflow has it: ``TaskInstance`` is ``task_instance``."""
    name = model.__name__
    letters = (f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    return _NAMES.get(name) or "".join(letters).lstrip("_")
