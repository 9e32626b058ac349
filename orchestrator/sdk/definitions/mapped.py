"""Decides what a mapped task is: the arguments shared by all indexes, and the input that gives each index its own."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.sdk.definitions import operator_checks as checks
from orchestrator.sdk.definitions.abstract_operator import AbstractOperator
from orchestrator.sdk.definitions.contexts import DagContext, TaskGroupContext
from orchestrator.sdk.definitions.node import validate_key
from orchestrator.sdk.definitions.operator import BaseOperator, _instant
from orchestrator.sdk.definitions.param import ParamsDict
from orchestrator.sdk.definitions.rules import read_weight_rule
from orchestrator.sdk.definitions.setup_teardown import SetupTeardownContext
from orchestrator.sdk.definitions.shown_words import TriggerRule
from orchestrator.sdk.definitions.xcom_arg import XComArg

BASE_PARAMETERS = {name: p for name, p in inspect.signature(BaseOperator.__init__).parameters.items() if p.kind is p.KEYWORD_ONLY}


#: Arguments that must be the same for every index: the server knows them before there are indexes.
UNMAPPABLE = frozenset({
    "allow_nested_operators", "dag", "depends_on_past", "email_on_failure", "email_on_retry", "execution_timeout",
    "executor_config", "ignore_first_depends_on_past", "inlets", "map_index_template", "max_retry_delay",
    "on_execute_callback", "on_failure_callback", "on_retry_callback", "on_skipped_callback", "on_success_callback", "outlets",
    "owner", "pool_slots", "priority_weight", "queue", "retries", "retry_delay", "retry_exponential_backoff", "retry_policy",
    "task_group", "task_id", "trigger_rule", "wait_for_downstream", "wait_for_past_depends_before_skipping", "weight_rule",
})  # fmt: skip


def accepted_names(operator_class: type[BaseOperator]) -> dict[str, inspect.Parameter]:
    """Return all named arguments that the class and its bases take."""
    found: dict[str, inspect.Parameter] = {}
    for kind in operator_class.__mro__:
        if "__init__" not in vars(kind) or kind is object:
            continue
        parameters = list(inspect.signature(vars(kind)["__init__"]).parameters.values())[1:]
        for parameter in parameters:
            if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                found.setdefault(parameter.name, parameter)
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            break
    return found


def check_names(operator_class: type[BaseOperator], func: str, given: Mapping[str, Any], task_id: str) -> None:
    """Raise ``TypeError`` that names the arguments which the operator does not take."""
    unknown = sorted(given.keys() - accepted_names(operator_class).keys())
    if unknown:
        names = ", ".join(map(repr, unknown))
        raise TypeError(f"{operator_class.__name__}.{func}() got an unexpected keyword argument {names} (task_id: {task_id!r})")


class MappedOperator(AbstractOperator):
    """A task with one instance per index; shared arguments are read as attributes."""

    _is_mapped = True
    mapped_arguments_name = "expand_input"

    def __init__(
        self,
        operator_class: type[BaseOperator],
        partial_kwargs: dict[str, Any],
        params: ParamsDict,
        expand_input: Any,
        *,
        strict: bool,
        defaulted: frozenset[str] = frozenset(),
    ) -> None:
        kwargs = dict(partial_kwargs)
        task_id, dag, group = kwargs.pop("task_id"), kwargs.pop("dag", None), kwargs.pop("task_group", None)
        validate_key(task_id, "task_id")
        self.task_id = group.child_id(task_id) if group is not None else task_id
        _refuse_mapped_group(self.task_id, group)
        self.operator_class, self.params, self.expand_input = operator_class, params, expand_input
        self.partial_kwargs = _coerced(kwargs, self.task_id, dag)
        self._disallow_kwargs_override, self._defaulted = strict, defaulted
        self.upstream_task_ids, self.downstream_task_ids = set(), set()
        for name in (
            "template_fields",
            "template_ext",
            "template_fields_renderers",
            "ui_color",
            "ui_fgcolor",
            "operator_extra_links",
        ):
            setattr(self, name, getattr(operator_class, name))
        self._is_sensor = operator_class._is_sensor
        self.start_date = _instant(kwargs.get("start_date"), "start_date")
        self.end_date = _instant(kwargs.get("end_date"), "end_date")
        self.is_setup, self.is_teardown, self._on_failure_fail_dagrun = False, False, False
        self._dag: Any = None
        self.task_group: Any = None
        self._join(dag, group)

    def _join(self, dag: Any, group: Any) -> None:
        if group is not None:
            group.add(self)
            self.task_group = group
        if dag is not None:
            self.dag = dag
            XComArg.apply_upstream_relationship(self, self.expand_input.value)
            for name, value in self.partial_kwargs.items():
                if name in self.template_fields or name in ("op_args", "op_kwargs"):
                    XComArg.apply_upstream_relationship(self, value)
        SetupTeardownContext.note(self)

    def __getattr__(self, name: str) -> Any:
        # Shared arguments that were not given have the defaults of the operator class, then of BaseOperator.
        if name.startswith("__") or name == "partial_kwargs":
            raise AttributeError(name)
        if name in self.partial_kwargs:
            return self.partial_kwargs[name]
        if name in BASE_PARAMETERS:
            return _default_of(self.operator_class, name)
        return getattr(self.operator_class, name)

    @property
    def dag(self) -> Any:
        """Return the DAG."""
        return self._dag

    @dag.setter
    def dag(self, dag: Any) -> None:
        if dag is not None and self._dag is None:
            dag.add_task(self)
            self._dag = dag

    @property
    def trigger_rule(self) -> Any:
        """Return the trigger rule."""
        return self.partial_kwargs.get("trigger_rule", TriggerRule.ALL_SUCCESS)

    @trigger_rule.setter
    def trigger_rule(self, value: Any) -> None:
        self.partial_kwargs["trigger_rule"] = value

    @property
    def task_type(self) -> str:
        """Return the name of the operator class."""
        return str(self.operator_class.__name__)

    @property
    def operator_name(self) -> str:
        """Return the name that people see."""
        return str(getattr(self.operator_class, "custom_operator_name", None) or self.task_type)

    @property
    def task_display_name(self) -> str:
        """Return the name that people see for this task."""
        return self.partial_kwargs.get("task_display_name") or self.task_id

    @property
    def inherits_from_empty_operator(self) -> bool:
        """Return whether there is nothing to execute."""
        return getattr(self.operator_class, "inherits_from_empty_operator", False) is True

    @property
    def inherits_from_skipmixin(self) -> bool:
        """Return whether the task may skip others."""
        from orchestrator.sdk.definitions.skipmixin import SkipMixin

        return issubclass(self.operator_class, SkipMixin)

    @property
    def is_async(self) -> bool:
        """Return whether instances run in an event loop; only an instance knows."""
        return False

    @property
    def output(self) -> Any:
        """Return the reference to the outputs of all instances."""
        return XComArg(self)

    def iter_mapped_dependencies(self) -> Iterator[Any]:
        """Return the tasks whose output this maps over."""
        for task, _ in self.expand_input.iter_references():
            yield task

    def prepare_for_execution(self) -> MappedOperator:
        """Return the task itself: ``render_template_fields`` makes the instance."""
        return self

    def _expand_mapped_kwargs(self, context: Mapping[str, Any]) -> tuple[Mapping[str, Any], set[int]]:
        return self.expand_input.resolve(context)  # type: ignore[no-any-return]

    def _instance_kwargs(self, mapped: Mapping[str, Any]) -> dict[str, Any]:
        twice = sorted(mapped.keys() & ((self.partial_kwargs.keys() - self._defaulted) | UNMAPPABLE))
        if twice and self._disallow_kwargs_override:
            raise TypeError(f"unmappable or already specified argument(s) {twice} in an index of task {self.task_id!r}")
        params = dict(self.params.items())
        return {**self.partial_kwargs, **mapped, "params": {**params, **(mapped.get("params") or {})}}

    def unmap(self, resolve: Mapping[str, Any]) -> BaseOperator:
        """Return the task of one index with ``resolve`` as its own arguments; it has this task's neighbours."""
        kwargs = self._instance_kwargs(resolve)
        with _outside():
            operator: BaseOperator = self.operator_class(task_id=self.task_id.replace(".", "__unmap__"), **kwargs)
        for name in ("task_id", "_dag", "task_group", "upstream_task_ids", "downstream_task_ids", "start_date", "end_date"):
            object.__setattr__(operator, name, getattr(self, name))
        operator._is_setup, operator._is_teardown = self.is_setup, self.is_teardown  # a mapped task may be both, as in Airflow
        operator._on_failure_fail_dagrun = self._on_failure_fail_dagrun
        object.__setattr__(operator, "_mapped_from", self)
        return operator

    def render_template_fields(self, context: Any, jinja_env: Any = None) -> Any:
        """Make the task of the context's index, put it into the context, and render its fields; returns it."""
        from orchestrator.sdk.execution.context import context_of_unmapped

        environment = jinja_env or self.get_template_env()
        mapped, resolved = self._expand_mapped_kwargs(context)
        task = self.unmap(mapped)
        object.__setattr__(task, "_lock_for_execution", True)
        context_of_unmapped(context, task)
        task._do_render_template_fields(task, task.template_fields, context, environment, set(resolved))
        return task


def _refuse_mapped_group(task_id: str, group: Any) -> None:
    around = next(iter(group.iter_mapped_task_groups()), None) if group is not None else None
    if around is not None:
        raise NotImplementedError(
            f"task {task_id!r} calls expand() inside of the mapped task group {around.group_id!r}, where each task has one "
            "instance per index of the group already; map the group over all combinations, or map the task outside of it"
        )


class _outside:
    """A stretch in which new tasks fall into no DAG and draw no edges."""

    def __enter__(self) -> None:
        self._saved = (DagContext._open.copy(), TaskGroupContext._open.copy())
        XComArg.draws_edges = False
        DagContext._open.clear()
        TaskGroupContext._open.clear()

    def __exit__(self, *_: Any) -> None:
        XComArg.draws_edges = True
        DagContext._open.extend(self._saved[0])
        TaskGroupContext._open.extend(self._saved[1])


def _default_of(operator_class: type[BaseOperator], name: str) -> Any:
    if name.startswith("on_") and name.endswith("_callback"):
        return []
    if name in ("inlets", "outlets"):
        return []
    if name == "pool":
        return "default_pool"
    parameter = accepted_names(operator_class).get(name) or BASE_PARAMETERS[name]
    value = parameter.default if parameter.default is not inspect.Parameter.empty else BASE_PARAMETERS[name].default
    return {} if name == "executor_config" and value is None else value


def _coerced(kwargs: dict[str, Any], task_id: str, dag: Any) -> dict[str, Any]:
    """Return shared arguments in the same form as on an operator; wrong ones raise as they do there."""
    checks.check_types(task_id, kwargs)
    values = dict(kwargs)
    read: dict[str, Any] = {
        "retries": lambda v: checks.retries(v, task_id),
        "retry_delay": lambda v: checks.duration(v, "retry_delay", task_id),
        "max_retry_delay": lambda v: checks.duration(v, "max_retry_delay", task_id),
        "execution_timeout": lambda v: checks.execution_timeout(v, task_id),
        "trigger_rule": lambda v: checks.trigger_rule(v, task_id, dag),
        "weight_rule": lambda v: read_weight_rule(v, task_id),
        "pool_slots": lambda v: checks.pool_slots(v, task_id),
        "pool": lambda v: v or "default_pool",
        "inlets": checks.as_list,
        "outlets": checks.as_list,
        "executor_config": lambda v: v or {},
    }
    callbacks = {name: checks.as_list for name in BASE_PARAMETERS if name.startswith("on_") and name.endswith("_callback")}
    for name, convert in {**read, **callbacks}.items():
        if name in values:
            values[name] = convert(values[name])
    if values.get("wait_for_downstream"):
        values["depends_on_past"] = True
    return values
