"""Decides how tasks, groups and runs of other DAGs are waited for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable
from typing import Any

from orchestrator.sdk.configuration_defaults import default
from orchestrator.sdk.definitions.keyword_parameters import determine_kwargs
from orchestrator.sdk.definitions.operator_link import BaseOperatorLink
from orchestrator.sdk.definitions.states import State, word_of
from orchestrator.sdk.exceptions import AirflowSkipException
from orchestrator.sdk.operators.empty import EmptyOperator
from orchestrator.sdk.sensors.base import BaseSensorOperator
from orchestrator.sdk.standard_exceptions import (
    DuplicateStateError,
    ExternalDagFailedError,
    ExternalDagNotFoundError,
    ExternalTaskFailedError,
    ExternalTaskGroupFailedError,
)


class ExternalDagLink(BaseOperatorLink):
    """Leads to the run of the other DAG with the same id."""

    name = "External DAG"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the page of the run."""
        return f"/dags/{operator.external_dag_id}/runs/{ti_key.run_id}"


class ExternalTaskSensor(BaseSensorOperator):
    """Waits until tasks (or a group, or the whole run) of ``external_dag_id`` for the same logical date are done.

    ``execution_delta`` looks that far back; ``execution_date_fn`` gives the date or dates to look at.
    """

    template_fields: Collection[str] = ("external_dag_id", "external_task_id", "external_task_ids", "external_task_group_id")
    ui_color = "#4db7db"
    operator_extra_links = [ExternalDagLink()]

    def __init__(
        self,
        *,
        external_dag_id: str,
        external_task_id: str | None = None,
        external_task_ids: Collection[str] | None = None,
        external_task_group_id: str | None = None,
        allowed_states: Iterable[str] | None = None,
        skipped_states: Iterable[str] | None = None,
        failed_states: Iterable[str] | None = None,
        execution_delta: dt.timedelta | None = None,
        execution_date_fn: Callable[..., Any] | None = None,
        check_existence: bool = False,
        poll_interval: float | None = None,
        deferrable: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.allowed_states = list(allowed_states or [State.SUCCESS])
        self.skipped_states, self.failed_states = list(skipped_states or []), list(failed_states or [])
        self.external_dag_id, self.external_task_id = external_dag_id, external_task_id
        self.external_task_ids, self.external_task_group_id = external_task_ids, external_task_group_id
        self.execution_delta, self.execution_date_fn = execution_delta, execution_date_fn
        self.check_existence = check_existence
        self.poll_interval = self.poke_interval if poll_interval is None else poll_interval
        self.deferrable = bool(default("operators", "default_deferrable", False)) if deferrable is None else deferrable
        self._check_definition()
        if external_task_id is not None:
            self.external_task_ids = [external_task_id]
        self._checked_for_existence = False

    def _check_definition(self) -> None:
        states = [*self.allowed_states, *self.skipped_states, *self.failed_states]
        if len(set(map(str, states))) != len(states):
            raise DuplicateStateError(
                f"sensor {self.task_id!r}: a state may be in only one of allowed_states, skipped_states and failed_states"
            )
        of_tasks = bool(self.external_task_id or self.external_task_ids or self.external_task_group_id)
        known = State.task_states if of_tasks else State.dag_states
        unknown = [state for state in states if state not in known]
        if unknown:
            raise ValueError(f"sensor {self.task_id!r}: {unknown} are no states of {'tasks' if of_tasks else 'runs'}")
        if self.execution_delta is not None and self.execution_date_fn is not None:
            raise ValueError(f"sensor {self.task_id!r} takes execution_delta or execution_date_fn, not both")
        if sum(bool(x) for x in (self.external_task_id, self.external_task_ids, self.external_task_group_id)) > 1:
            raise ValueError(
                f"sensor {self.task_id!r} takes only one of external_task_id, external_task_ids and external_task_group_id"
            )

    def _dates(self, context: Any) -> list[dt.datetime]:
        logical_date = context.get("logical_date") or context["dag_run"].run_after
        if self.execution_delta is not None:
            return [logical_date - self.execution_delta]
        if self.execution_date_fn is not None:
            names = {key: value for key, value in context.items() if key != "logical_date"}
            kwargs = determine_kwargs(self.execution_date_fn, [logical_date], names)
            found = self.execution_date_fn(logical_date, **kwargs)
            return found if isinstance(found, list) else [found]
        return [logical_date]

    def poke(self, context: Any) -> bool:
        """Return whether all that is waited for is done; raises or skips by failed and skipped states."""
        ids = list(self.external_task_ids or ())  # a template may have made them, so they are known only now
        if len(set(ids)) < len(ids):
            raise ValueError(f"external_task_ids of sensor {self.task_id!r} has an id twice")
        dates = self._dates(context)
        what = self.external_task_ids or self.external_task_group_id or "the run"
        self.log.info("Poking for %s of DAG %s on %s", what, self.external_dag_id, ", ".join(map(str, dates)))
        if self.check_existence and not self._checked_for_existence:
            self._check_existence(context["ti"])
        if self.failed_states and self._count(context["ti"], dates, self.failed_states) > 0:
            self._fail(what)
        if self.skipped_states and self._count(context["ti"], dates, self.skipped_states) > 0:
            raise AirflowSkipException(f"Some of {what} in DAG {self.external_dag_id} reached a skipped state. Skipping.")
        return self._count(context["ti"], dates, self.allowed_states) >= len(dates)

    def _check_existence(self, ti: Any) -> None:
        try:
            known = ti.get_dag(self.external_dag_id)
        except Exception as error:
            raise ExternalDagNotFoundError(f"The external DAG {self.external_dag_id} does not exist.") from error
        if known is None:
            raise ExternalDagNotFoundError(f"The external DAG {self.external_dag_id} does not exist.")
        self._checked_for_existence = True

    def _count(self, ti: Any, dates: list[dt.datetime], states: list[Any]) -> float:
        """Return for how many of the dates all that is waited for is in one of ``states``; parts count in part."""
        words = [word_of(state) for state in states]
        if self.external_task_ids:
            ids = list(self.external_task_ids)
            count = ti.get_ti_count(dag_id=self.external_dag_id, task_ids=ids, logical_dates=dates, states=words)
            return float(count) / len(ids)
        if self.external_task_group_id:
            return self._count_group(ti, dates, words)
        return float(ti.get_dr_count(dag_id=self.external_dag_id, logical_dates=dates, states=words))

    def _count_group(self, ti: Any, dates: list[dt.datetime], words: list[str]) -> float:
        runs = ti.get_task_states(dag_id=self.external_dag_id, task_group_id=self.external_task_group_id, logical_dates=dates)
        return float(sum(bool(tasks) and all(word_of(state) in words for state in tasks.values()) for tasks in runs.values()))

    def _fail(self, what: Any) -> None:
        text = f"Some of {what} in DAG {self.external_dag_id} failed."
        if self.soft_fail:
            raise AirflowSkipException(f"{text} Skipping due to soft_fail.")
        if self.external_task_ids:
            raise ExternalTaskFailedError(text)
        if self.external_task_group_id:
            raise ExternalTaskGroupFailedError(text)
        raise ExternalDagFailedError(f"The external DAG {self.external_dag_id} failed.")

    def execute(self, context: Any) -> None:
        """Poke, or hand the wait to the triggerer."""
        if not self.deferrable:
            super().execute(context)
            return
        from orchestrator.sdk.triggers.external_task import WorkflowTrigger

        trigger = WorkflowTrigger(
            external_dag_id=self.external_dag_id,
            external_task_group_id=self.external_task_group_id,
            external_task_ids=list(self.external_task_ids) if self.external_task_ids else None,
            logical_dates=self._dates(context),
            allowed_states=[word_of(state) for state in self.allowed_states],
            skipped_states=[word_of(state) for state in self.skipped_states],
            failed_states=[word_of(state) for state in self.failed_states],
            poke_interval=self.poll_interval,
            soft_fail=self.soft_fail,
        )
        self.defer(timeout=dt.timedelta(seconds=self.timeout), trigger=trigger, method_name="execute_complete")

    def execute_complete(self, context: Any, event: dict[str, Any] | None = None) -> None:
        """End after the wait as the trigger says."""
        status = (event or {}).get("status")
        if status == "success":
            return
        if status == "skipped":
            raise AirflowSkipException("External job has skipped skipping.")
        self._fail(self.external_task_ids or self.external_task_group_id or "the run")


class ExternalTaskMarker(EmptyOperator):
    """Says that a task of another DAG depends on this one, so that clearing with ``recursive`` reaches it."""

    template_fields: Collection[str] = ("external_dag_id", "external_task_id", "logical_date")
    ui_color = "#4db7db"
    operator_extra_links = [ExternalDagLink()]

    def __init__(
        self,
        *,
        external_dag_id: str,
        external_task_id: str,
        logical_date: Any = "{{ logical_date.isoformat() }}",
        recursion_depth: int = 10,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.external_dag_id, self.external_task_id = external_dag_id, external_task_id
        if isinstance(logical_date, dt.datetime):
            logical_date = logical_date.isoformat()
        elif not isinstance(logical_date, str) and logical_date is not None:
            raise TypeError(f"Expected str or datetime.datetime for logical_date of {self.task_id!r}, got {type(logical_date)}")
        self.logical_date = logical_date
        if recursion_depth <= 0:
            raise ValueError(f"recursion_depth of {self.task_id!r} should be a positive integer")
        self.recursion_depth = recursion_depth
