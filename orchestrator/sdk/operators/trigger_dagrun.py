"""Decides how a task starts a run of another DAG, and whether it waits for it."""

from __future__ import annotations

import datetime as dt
import json
import secrets
import string
from collections.abc import Collection
from typing import Any

from orchestrator.sdk import timezone
from orchestrator.sdk.configuration_defaults import default
from orchestrator.sdk.definitions.operator import BaseOperator
from orchestrator.sdk.definitions.operator_link import BaseOperatorLink
from orchestrator.sdk.definitions.sentinels import NOTSET, is_arg_set
from orchestrator.sdk.definitions.states import DagRunState, word_of
from orchestrator.sdk.exceptions import AirflowException, DagRunTriggerException

XCOM_RUN_ID = "trigger_run_id"
_SUFFIX = string.ascii_letters + string.digits


class DagIsPaused(AirflowException):
    """The DAG to be started is paused."""

    def __init__(self, dag_id: str) -> None:
        super().__init__(f"Dag {dag_id} is paused")
        self.dag_id = dag_id


class TriggerDagRunLink(BaseOperatorLink):
    """Leads to the run that was started."""

    name = "Triggered DAG"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the page of the run."""
        if not operator.trigger_run_id:
            return f"{_base_url()}/dags/{operator.trigger_dag_id}"
        return _run_url(operator.trigger_dag_id, operator.trigger_run_id)


class TriggerDagRunOperator(BaseOperator):
    """Starts a run of ``trigger_dag_id``; ``poke_interval`` is in seconds."""

    template_fields: Collection[str] = (
        "trigger_dag_id",
        "trigger_run_id",
        "logical_date",
        "conf",
        "wait_for_completion",
        "skip_when_already_exists",
    )
    template_fields_renderers = {"conf": "py"}
    ui_color = "#ffefeb"
    operator_extra_links = [TriggerDagRunLink()]

    def __init__(
        self,
        *,
        trigger_dag_id: str,
        trigger_run_id: str | None = None,
        conf: dict[str, Any] | None = None,
        logical_date: Any = NOTSET,
        run_after: Any = NOTSET,
        reset_dag_run: bool = False,
        wait_for_completion: bool = False,
        poke_interval: int = 60,
        allowed_states: list[str] | None = None,
        failed_states: list[str] | None = None,
        skip_when_already_exists: bool = False,
        fail_when_dag_is_paused: bool = False,
        note: str | None = None,
        deferrable: bool | None = None,
        openlineage_inject_parent_info: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.trigger_dag_id, self.trigger_run_id, self.conf, self.note = trigger_dag_id, trigger_run_id, conf, note
        self.reset_dag_run, self.wait_for_completion, self.poke_interval = reset_dag_run, wait_for_completion, poke_interval
        self.skip_when_already_exists, self.fail_when_dag_is_paused = skip_when_already_exists, fail_when_dag_is_paused
        self.openlineage_inject_parent_info = openlineage_inject_parent_info
        self.allowed_states = [DagRunState(state) for state in allowed_states or [DagRunState.SUCCESS]]
        # An empty list is a choice: no state ends the wait as failed.
        self.failed_states = [DagRunState(s) for s in ([DagRunState.FAILED] if failed_states is None else failed_states)]
        self.deferrable = bool(default("operators", "default_deferrable", False)) if deferrable is None else deferrable
        self.logical_date = self._date("logical_date", logical_date)
        self.run_after = self._date("run_after", run_after)

    def _date(self, name: str, value: Any) -> Any:
        if not is_arg_set(value) or value is None or isinstance(value, str | dt.datetime) or hasattr(value, "iter_references"):
            return value
        raise TypeError(f"Expected str, datetime.datetime, or None for parameter {name!r}. Got {type(value).__name__}")

    def execute(self, context: Any) -> Any:
        """Ask the runner to start the run; raises ``DagRunTriggerException`` for it."""
        run_after = self._instant(self.run_after, None)
        logical_date = self._instant(self.logical_date, None if run_after else timezone.utcnow())
        if isinstance(self.conf, str):
            self.conf = json.loads(self.conf)
        try:
            json.dumps(self.conf)
        except (TypeError, ValueError):
            raise ValueError("conf parameter should be JSON Serializable") from None
        self.trigger_run_id = str(self.trigger_run_id or _run_id(logical_date, run_after))
        if self.fail_when_dag_is_paused and context["ti"].get_dag(self.trigger_dag_id).is_paused:
            raise DagIsPaused(self.trigger_dag_id)
        _push_link(context, self.trigger_dag_id, self.trigger_run_id)
        raise DagRunTriggerException(
            trigger_dag_id=self.trigger_dag_id,
            dag_run_id=self.trigger_run_id,
            conf=self.conf,
            logical_date=logical_date,
            run_after=run_after,
            reset_dag_run=self.reset_dag_run,
            skip_when_already_exists=_truth(self.skip_when_already_exists),
            wait_for_completion=_truth(self.wait_for_completion),
            allowed_states=[word_of(state) for state in self.allowed_states],
            failed_states=[word_of(state) for state in self.failed_states],
            poke_interval=self.poke_interval,
            deferrable=self.deferrable,
            note=self.note,
        )

    @staticmethod
    def _instant(value: Any, default_value: Any) -> Any:
        if not is_arg_set(value):
            return default_value
        return timezone.parse(value) if isinstance(value, str) else value

    def execute_complete(self, context: Any, event: Any) -> None:
        """End after the wait; raises ``AirflowException`` if the run ended in a failed state."""
        facts = event[1] if isinstance(event, tuple | list) else event
        for run_id in facts.get("run_ids", ()):
            state = facts.get(run_id)
            if state in self.failed_states:
                raise AirflowException(f"{self.trigger_dag_id} failed with failed state {state}")
            if state in self.allowed_states:
                self.log.info("%s finished with allowed state %s", self.trigger_dag_id, state)
                continue
            raise AirflowException(f"{self.trigger_dag_id} ended in state {state}, which is neither allowed nor failed")


def _run_id(logical_date: dt.datetime | None, run_after: dt.datetime | None) -> str:
    run_id = f"manual__{(run_after or logical_date or timezone.utcnow()).isoformat()}"
    if logical_date is not None:
        return run_id
    # Runs without a logical date may start at the same instant; a suffix keeps them apart.
    return f"{run_id}_{''.join(secrets.choice(_SUFFIX) for _ in range(8))}"


def _push_link(context: Any, dag_id: str, run_id: str) -> None:
    """Keep the address of the run as the operator's link, as Airflow does before the run exists."""
    ti = context.get("ti")
    if hasattr(ti, "xcom_push"):
        ti.xcom_push(key=TriggerDagRunLink().xcom_key, value=_run_url(dag_id, run_id))


def _run_url(dag_id: str, run_id: str) -> str:
    return f"{_base_url()}/dags/{dag_id}/runs/{run_id}"


def _base_url() -> str:
    return str(default("api", "base_url", "") or "").rstrip("/")


def _truth(value: Any) -> bool:
    """Return a flag that may have been rendered from a template."""
    if isinstance(value, str):
        return value.strip().lower() in ("true", "1", "yes", "t", "y", "on")
    return bool(value)
