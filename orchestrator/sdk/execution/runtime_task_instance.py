"""Decides what a task knows about its own attempt and may ask about others: ``context["ti"]``."""

from __future__ import annotations

import logging
import socket
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

from orchestrator.sdk.definitions.sentinels import NOTSET
from orchestrator.sdk.definitions.shown_words import DagRunState, TaskInstanceState
from orchestrator.sdk.execution import xcom
from orchestrator.sdk.execution.awaited_xcoms import AwaitedXComs
from orchestrator.sdk.execution.channel import ask
from orchestrator.sdk.execution.previous_instance import PreviousTIResponse
from orchestrator.sdk.execution.relevant_indexes import relevant_indexes
from orchestrator.sdk.execution.startup import DagRun, StartupDetails, instant

Instants = list[datetime] | None


class RuntimeTaskInstance(AwaitedXComs):
    """The attempt that runs in this process, under Airflow's names."""

    def __init__(self, startup: StartupDetails, task: Any, dag: Any) -> None:
        info, told = startup.ti, startup.ti_context
        self.id = uuid.UUID(info.id)
        self.task_id, self.dag_id, self.run_id = info.task_id, info.dag_id, info.run_id
        self.try_number, self.map_index, self.queue = info.try_number, info.map_index, info.queue
        self.dag_version_id = uuid.UUID(info.dag_version_id) if info.dag_version_id else None
        self.hostname, self.context_carrier = info.hostname or socket.gethostname(), info.context_carrier
        self.bundle_instance, self.sentry_integration = startup.bundle_info, startup.sentry_integration
        self.task, self.dag = task, dag
        self.max_tries = told.max_tries
        self.start_date = startup.start_date
        self.end_date: datetime | None = None
        self.state: TaskInstanceState | None = TaskInstanceState.RUNNING
        self.is_mapped = bool(task.is_mapped)
        self.rendered_map_index: str | None = None
        self.log = logging.getLogger("airflow.task")
        self._told = told
        self._context: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return (
            f"RuntimeTaskInstance(id={self.id!r}, task_id={self.task_id!r}, dag_id={self.dag_id!r}, run_id={self.run_id!r}, "
            f"try_number={self.try_number}, map_index={self.map_index}, state={self.state!r})"
        )

    @property
    def dag_run(self) -> DagRun:
        """The run of this attempt."""
        return self._told.dag_run

    def get_template_context(self) -> dict[str, Any]:
        """Return the context of this attempt; always the same dict, so that what an operator adds stays."""
        from orchestrator.sdk.execution.context import build_context

        if self._context is None:
            self._context = build_context(self, self._told)
        return self._context

    def render_templates(self, context: Mapping[str, Any] | None = None, jinja_env: Any = None) -> Any:
        """Render the task's template fields; returns the task as it was before, as authors of operators expect."""
        original = self.task
        chosen = context or self.get_template_context()
        environment = jinja_env or self.task.get_template_env()
        self.task = original.prepare_for_execution()
        self.task.render_template_fields(chosen, environment)
        return original

    def xcom_pull(
        self,
        task_ids: str | Iterable[str] | None = None,
        dag_id: str | None = None,
        key: str = xcom.RETURN_KEY,
        include_prior_dates: bool = False,
        *,
        map_indexes: Any = NOTSET,
        default: Any = None,
        run_id: str | None = None,
    ) -> Any:
        """Return what other tasks pushed; this task's own if ``task_ids`` is not given. See ``xcom.pull``."""
        return xcom.pull(
            self, task_ids, key, map_indexes, default, dag_id=dag_id, run_id=run_id, include_prior_dates=include_prior_dates
        )

    def xcom_push(self, key: str, value: Any, **_: Any) -> None:
        """Store a value for other tasks; raises ``TypeError`` if it cannot be written as JSON."""
        xcom.set_xcom(self, key, value)

    @property
    def key(self) -> tuple[str, str, str, int, int]:
        """What identifies the attempt: DAG, task, run, try number, map index."""
        return (self.dag_id, self.task_id, self.run_id, self.try_number, self.map_index)

    @property
    def operator(self) -> str:
        """Name of the operator class."""
        return str(self.task.task_type)

    @property
    def duration(self) -> float | None:
        """Seconds between start and end, None while it runs."""
        return (self.end_date - self.start_date).total_seconds() if self.end_date else None

    @property
    def stats_tags(self) -> dict[str, str]:
        """Labels of metrics about this attempt."""
        return {"dag_id": self.dag_id, "task_id": self.task_id}

    @property
    def log_url(self) -> str:
        """Address of the page with this attempt's log."""
        from orchestrator.sdk.configuration import conf

        base = str(conf.get("api", "base_url", fallback="") or "http://localhost:8080").rstrip("/")
        mapped = f"/mapped/{self.map_index}" if self.map_index is not None and self.map_index >= 0 else ""
        path = f"dags/{self.dag_id}/runs/{quote(self.run_id)}/tasks/{self.task_id}{mapped}"
        return f"{base}/{path}?try_number={self.try_number}"

    @property
    def mark_success_url(self) -> str:
        """Address of the page where this attempt can be marked as success."""
        return self.log_url

    @staticmethod
    def get_dag(dag_id: str) -> Any:
        """Return what the server knows of a DAG: ``is_paused``, ``tags``, ``next_dagrun`` and so on, as attributes."""
        found = ask({"type": "GetDag", "dag_id": dag_id})
        return SimpleNamespace(**{name: value for name, value in found.items() if name != "type"})

    def get_first_reschedule_date(self, context: Mapping[str, Any]) -> datetime | None:
        """Return when this task started before its first reschedule, None if it was not rescheduled."""
        if not self._told.task_reschedule_count:
            return None
        first_try = int(getattr(context["task"], "retries", 0)) - self.max_tries + 1
        message = {"type": "GetTaskRescheduleStartDate", "ti_id": str(self.id), "try_number": max(first_try, 1)}
        return instant(ask(message).get("start_date"))

    def get_previous_dagrun(self, state: str | None = None) -> DagRun | None:
        """Return the run before this one, in ``state`` if given; None without logical date."""
        run = self.dag_run
        if run.logical_date is None:
            return None
        message = {
            "type": "GetPreviousDagRun",
            "dag_id": self.dag_id,
            "logical_date": wire(run.logical_date),
            "state": _plain(state),
        }
        found = ask(message).get("dag_run")
        return DagRun.from_json(found) if found else None

    def get_previous_ti(
        self, state: Any = None, logical_date: datetime | None = None, map_index: int = -1
    ) -> PreviousTIResponse | None:
        """Return this task's instance in the run before, in ``state`` if given; None if there is none."""
        date = logical_date or self.dag_run.logical_date
        message = {
            "type": "GetPreviousTI",
            "dag_id": self.dag_id,
            "task_id": self.task_id,
            "logical_date": wire(date) if date else None,
            "map_index": map_index,
            "state": _plain(state),
        }
        found = ask(message).get("task_instance")
        return PreviousTIResponse.from_json(found) if found else None

    get_prev_ti = get_previous_ti

    @staticmethod
    def get_ti_count(
        dag_id: str,
        map_index: int | None = None,
        task_ids: list[str] | None = None,
        task_group_id: str | None = None,
        logical_dates: Instants = None,
        run_ids: list[str] | None = None,
        states: list[str] | None = None,
    ) -> int:
        """Return how many task instances match."""
        filters = _filters(dag_id, map_index, task_ids, task_group_id, logical_dates, run_ids)
        return int(ask({"type": "GetTICount", **filters, "states": _all_plain(states)})["count"])

    @staticmethod
    def get_task_states(
        dag_id: str,
        map_index: int | None = None,
        task_ids: list[str] | None = None,
        task_group_id: str | None = None,
        logical_dates: Instants = None,
        run_ids: list[str] | None = None,
    ) -> dict[str, Any]:
        """Return states by run id and task id (with map index for mapped ones)."""
        filters = _filters(dag_id, map_index, task_ids, task_group_id, logical_dates, run_ids)
        return dict(ask({"type": "GetTaskStates", **filters})["task_states"])

    @staticmethod
    def get_dr_count(
        dag_id: str, logical_dates: Instants = None, run_ids: list[str] | None = None, states: list[str] | None = None
    ) -> int:
        """Return how many runs match."""
        message = {"type": "GetDRCount", "dag_id": dag_id, "logical_dates": _dates(logical_dates), "run_ids": run_ids}
        return int(ask({**message, "states": _all_plain(states)})["count"])

    @staticmethod
    def get_dagrun_state(dag_id: str, run_id: str) -> DagRunState:
        """Return the state of a run."""
        return DagRunState(ask({"type": "GetDagRunState", "dag_id": dag_id, "run_id": run_id})["state"])

    @staticmethod
    def get_task_breadcrumbs(dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Return what ended in a run: task id, map index, state, operator, duration."""
        return list(ask({"type": "GetTaskBreadcrumbs", "dag_id": dag_id, "run_id": run_id})["breadcrumbs"])

    def get_relevant_upstream_map_indexes(self, upstream: Any, ti_count: int | None, session: Any = None) -> Any:
        """Return the indexes of ``upstream`` that matter for this instance, None for all; see ``relevant_indexes``."""
        return relevant_indexes(self.task, upstream, self.map_index)


def wire(value: datetime) -> str:
    """Return the instant as the Execution API reads it."""
    return value.isoformat().replace("+00:00", "Z")


def _dates(values: Instants) -> list[str] | None:
    return None if values is None else [wire(value) for value in values]


def _plain(state: Any) -> Any:
    return getattr(state, "value", state)


def _all_plain(states: list[str] | None) -> list[Any] | None:
    return None if states is None else [_plain(state) for state in states]


def _filters(
    dag_id: str,
    map_index: int | None,
    task_ids: list[str] | None,
    task_group_id: str | None,
    logical_dates: Instants,
    run_ids: list[str] | None,
) -> dict[str, Any]:
    return {
        "dag_id": dag_id,
        "map_index": map_index,
        "task_ids": task_ids,
        "task_group_id": task_group_id,
        "logical_dates": _dates(logical_dates),
        "run_ids": run_ids,
    }
