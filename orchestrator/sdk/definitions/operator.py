"""Decides what an operator is: all arguments that every task takes, and the hooks that a task runner calls.

More than 300 lines because Airflow's signature alone has more than fifty arguments.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, MutableMapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NoReturn

from orchestrator.sdk.definitions import operator_checks as checks
from orchestrator.sdk.definitions.abstract_operator import AbstractOperator
from orchestrator.sdk.definitions.contexts import DagContext, TaskGroupContext
from orchestrator.sdk.definitions.node import validate_key
from orchestrator.sdk.definitions.operator_defaults import BaseOperatorMeta
from orchestrator.sdk.definitions.param import ParamsDict
from orchestrator.sdk.definitions.rules import TriggerRule, WeightRule, read_weight_rule
from orchestrator.sdk.definitions.setup_role import SetupRole
from orchestrator.sdk.definitions.setup_teardown import SetupTeardownContext
from orchestrator.sdk.definitions.xcom_arg import XComArg
from orchestrator.sdk.exceptions import AirflowException, TaskDeferralError, TaskDeferralTimeout, TaskDeferred

DEFAULT_RETRY_DELAY = timedelta(seconds=300)


class BaseOperator(SetupRole, AbstractOperator, metaclass=BaseOperatorMeta):
    """Base of all operators: a subclass gives ``execute(context)`` and lists its ``template_fields``."""

    shallow_copy_attrs: Sequence[str] = ()
    start_trigger_args: Any = None
    start_from_trigger: bool = False
    overwrite_rtif_after_execution: bool = False
    allow_nested_operators: bool = True
    deserialization_allowed_class_fields: Sequence[str] = ()
    _instantiated = False
    _lock_for_execution = False
    _dag: Any = None
    task_group: Any = None

    def __init__(
        self,
        *,
        task_id: str,
        owner: str = "airflow",
        email: str | Sequence[str] | None = None,
        email_on_retry: bool = True,
        email_on_failure: bool = True,
        retries: int | None = 0,
        retry_delay: timedelta | float = DEFAULT_RETRY_DELAY,
        retry_exponential_backoff: float = 0,
        max_retry_delay: timedelta | float | None = None,
        retry_policy: Any = None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        depends_on_past: bool = False,
        ignore_first_depends_on_past: bool = False,
        wait_for_past_depends_before_skipping: bool = False,
        wait_for_downstream: bool = False,
        dag: Any = None,
        params: MutableMapping[str, Any] | None = None,
        default_args: dict[str, Any] | None = None,
        priority_weight: int = 1,
        weight_rule: Any = WeightRule.DOWNSTREAM,
        queue: str = "default",
        pool: str | None = None,
        pool_slots: int = 1,
        sla: timedelta | None = None,
        execution_timeout: timedelta | None = None,
        on_execute_callback: Any = None,
        on_failure_callback: Any = None,
        on_success_callback: Any = None,
        on_retry_callback: Any = None,
        on_skipped_callback: Any = None,
        deadline: Any = None,
        pre_execute: Any = None,
        post_execute: Any = None,
        trigger_rule: str = TriggerRule.ALL_SUCCESS,
        resources: dict[str, Any] | None = None,
        run_as_user: str | None = None,
        map_index_template: str | None = None,
        max_active_tis_per_dag: int | None = None,
        max_active_tis_per_dagrun: int | None = None,
        executor: str | None = None,
        executor_config: dict[str, Any] | None = None,
        do_xcom_push: bool = True,
        multiple_outputs: bool = False,
        inlets: Any = None,
        outlets: Any = None,
        task_group: Any = None,
        doc: str | None = None,
        doc_md: str | None = None,
        doc_json: str | None = None,
        doc_yaml: str | None = None,
        doc_rst: str | None = None,
        task_display_name: str | None = None,
        logger_name: str | None = None,
        allow_nested_operators: bool = True,
        render_template_as_native_obj: bool | None = None,
        **kwargs: Any,
    ) -> None:
        given = dict(locals())
        if kwargs:
            names = ", ".join(repr(name) for name in sorted(kwargs))
            raise TypeError(f"{type(self).__name__} (task_id: {task_id!r}) got unknown arguments: {names}. Check the spelling.")
        dag = dag or (task_group.dag if task_group else None) or DagContext.get_current()
        if task_group is None and dag is not None:
            task_group = TaskGroupContext.get_current(dag)
        self._take_id(task_id, task_group)
        self._take_plain(given)
        self._take_timing(given)
        self._take_callbacks(given)
        self.params = ParamsDict(params) if not isinstance(params, ParamsDict) else params
        self.params._fill_missing_param_source("task")
        self.trigger_rule = checks.trigger_rule(trigger_rule, task_id, dag)
        self.weight_rule = read_weight_rule(weight_rule, task_id)
        self.pool_slots = checks.pool_slots(pool_slots, task_id)
        self.pool = pool or "default_pool"
        self.resources, self.executor_config = checks.resources(resources, task_id), executor_config or {}
        self.inlets, self.outlets = checks.as_list(inlets), checks.as_list(outlets)
        self.default_args = default_args
        self._is_setup, self._is_teardown, self._on_failure_fail_dagrun = False, False, False
        if task_group is not None:
            task_group.add(self)
            self.task_group = task_group
        if dag is not None:
            self.dag = dag
        SetupTeardownContext.note(self)

    def _take_id(self, task_id: str, task_group: Any) -> None:
        self.upstream_task_ids, self.downstream_task_ids = set(), set()
        validate_key(task_id, "task_id")
        self.task_id = task_group.child_id(task_id) if task_group is not None else task_id
        validate_key(self.task_id, "task_id")

    def _take_plain(self, given: dict[str, Any]) -> None:
        checks.check_types(self.task_id, given)
        for name in _PLAIN:
            setattr(self, name, given[name])
        self.priority_weight = given["priority_weight"]
        self._task_display_name = given["task_display_name"]
        if given["logger_name"]:
            self.logger_name = given["logger_name"]

    def _take_timing(self, given: dict[str, Any]) -> None:
        task_id = self.task_id
        self.retries = checks.retries(given["retries"], task_id)
        self.retry_delay = checks.duration(given["retry_delay"], "retry_delay", task_id)
        self.max_retry_delay = checks.duration(given["max_retry_delay"], "max_retry_delay", task_id)
        self.execution_timeout = checks.execution_timeout(given["execution_timeout"], task_id)
        self.start_date = _instant(given["start_date"], f"start_date of task {task_id!r}")
        self.end_date = _instant(given["end_date"], f"end_date of task {task_id!r}")
        self.wait_for_downstream = given["wait_for_downstream"]
        self.depends_on_past = given["depends_on_past"] or self.wait_for_downstream

    def _take_callbacks(self, given: dict[str, Any]) -> None:
        for name in _CALLBACKS:
            setattr(self, name, checks.as_list(given[name]))
        self.deadline_alerts = checks.as_list(given["deadline"])
        self._pre_execute_hook, self._post_execute_hook = given["pre_execute"], given["post_execute"]

    def _finish_init(self) -> None:
        """Draw the edges to the tasks whose output this one's template fields use; called once, after all ``__init__``."""
        self._init_kwargs = self.__dict__.pop("_given")
        self.__dict__.pop("_default_values", None)
        for name in self.template_fields:
            # A field that is never set is named when it is rendered, as in Airflow: the file stays one that can be imported.
            XComArg.apply_upstream_relationship(self, getattr(self, name, None))
        self._instantiated = True

    def __setattr__(self, key: str, value: Any) -> None:
        super().__setattr__(key, value)
        if self._instantiated and not self._lock_for_execution and key in self.template_fields:
            XComArg.apply_upstream_relationship(self, value)

    @classmethod
    def partial(cls, *, task_id: str, **kwargs: Any) -> Any:
        """Return the operator with the arguments that all mapped instances share; call ``expand`` on it."""
        from orchestrator.sdk.definitions.operator_partial import operator_partial

        return operator_partial(cls, task_id=task_id, **kwargs)

    @property
    def dag(self) -> Any:
        """Return the DAG; raises ``RuntimeError`` for a task without one."""
        if self._dag is None:
            raise RuntimeError(f"Operator {self} has not been assigned to a DAG yet")
        return self._dag

    @dag.setter
    def dag(self, dag: Any) -> None:
        if dag is self._dag:
            return
        if self._dag is not None:
            raise AirflowException(
                f"Task {self.task_id!r} is already in DAG {self._dag.dag_id!r}; it cannot move to {dag.dag_id!r}"
            )
        dag.add_task(self)
        self._dag = dag

    @property
    def is_setup_or_teardown(self) -> bool:
        """Return whether this is no work task."""
        return self.is_setup or self.is_teardown

    @property
    def inherits_from_empty_operator(self) -> bool:
        """Return whether there is nothing to execute."""
        return False

    @property
    def inherits_from_skipmixin(self) -> bool:
        """Return whether the task may skip others."""
        from orchestrator.sdk.definitions.skipmixin import SkipMixin

        return isinstance(self, SkipMixin)

    @property
    def output(self) -> Any:
        """Return the reference to what ``execute`` returns."""
        return XComArg(self)

    def add_inlets(self, inlets: Iterable[Any]) -> None:
        """Add assets that the task reads."""
        self.inlets.extend(inlets)

    def add_outlets(self, outlets: Iterable[Any]) -> None:
        """Add assets that the task writes."""
        self.outlets.extend(outlets)

    def get_inlet_defs(self) -> list[Any]:
        """Return the assets that the task reads."""
        return self.inlets

    def get_outlet_defs(self) -> list[Any]:
        """Return the assets that the task writes."""
        return self.outlets

    def pre_execute(self, context: Any) -> None:
        """Hook before ``execute``; a function given as ``pre_execute=`` is called before it."""

    def execute(self, context: Any) -> Any:
        """Do the work; the return value is pushed as XCom."""
        raise NotImplementedError(f"{type(self).__name__} must define execute(context)")

    def post_execute(self, context: Any, result: Any = None) -> None:
        """Hook after ``execute``; a function given as ``post_execute=`` is called before it."""

    def on_kill(self) -> None:
        """Hook when the task is stopped from outside: end what it has started."""

    def dry_run(self) -> None:
        """Log the values of the template fields."""
        for name in self.template_fields:
            self.log.info("Rendering template for %s\n%s", name, getattr(self, name))

    def defer(
        self, *, trigger: Any, method_name: str, kwargs: dict[str, Any] | None = None, timeout: timedelta | float | None = None
    ) -> NoReturn:
        """Stop here and go on with ``method_name`` when the trigger fires; raises ``TaskDeferred``."""
        raise TaskDeferred(trigger=trigger, method_name=method_name, kwargs=kwargs, timeout=timeout)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Any) -> Any:
        """Go on after a deferral; raises ``TaskDeferralError`` or ``TaskDeferralTimeout`` if the trigger failed."""
        if next_method == "__fail__":
            error = (next_kwargs or {}).get("error", "Unknown")
            if reason := (next_kwargs or {}).get("traceback"):
                self.log.error("Trigger failed:\n%s", "".join(reason))
            if error == "Trigger timeout":
                raise TaskDeferralTimeout(error)
            raise TaskDeferralError(error)
        return getattr(self, next_method)(context, **(next_kwargs or {}))

    def prepare_for_execution(self) -> BaseOperator:
        """Return a copy that a task runner may change."""
        other = copy.copy(self)
        object.__setattr__(other, "_lock_for_execution", True)
        return other

    def unmap(self, resolve: Any) -> BaseOperator:
        """Return the task itself: it is not mapped."""
        return self

    def __getstate__(self) -> dict[str, Any]:
        return dict(self.__dict__)


def _instant(value: Any, what: str) -> Any:
    from orchestrator.sdk import timezone

    return None if value is None else timezone.convert_to_utc(timezone.as_datetime(value, what))


_CALLBACKS = (
    "on_execute_callback",
    "on_failure_callback",
    "on_success_callback",
    "on_retry_callback",
    "on_skipped_callback",
)
_PLAIN = (
    "owner",
    "email",
    "email_on_retry",
    "email_on_failure",
    "retry_exponential_backoff",
    "retry_policy",
    "ignore_first_depends_on_past",
    "wait_for_past_depends_before_skipping",
    "queue",
    "run_as_user",
    "map_index_template",
    "max_active_tis_per_dag",
    "max_active_tis_per_dagrun",
    "executor",
    "do_xcom_push",
    "multiple_outputs",
    "doc",
    "doc_md",
    "doc_json",
    "doc_yaml",
    "doc_rst",
    "allow_nested_operators",
    "render_template_as_native_obj",
)
