"""Decides how a decorated function becomes a task: its arguments, its unique id, its multiple outputs."""

from __future__ import annotations

import functools
import inspect
import re
import textwrap
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from orchestrator.sdk.definitions.context_keys import CONTEXT_KEYS
from orchestrator.sdk.definitions.contexts import DagContext, TaskGroupContext
from orchestrator.sdk.definitions.expand import DictOfListsExpandInput, ListOfDictsExpandInput, check_expand_kwargs, refuse_keyed
from orchestrator.sdk.definitions.function_calls import bind_arguments, infer_multiple_outputs, unwrap
from orchestrator.sdk.definitions.mapped import MappedOperator, accepted_names
from orchestrator.sdk.definitions.operator import BaseOperator
from orchestrator.sdk.definitions.operator_partial import operator_partial
from orchestrator.sdk.definitions.rules import TriggerRule
from orchestrator.sdk.definitions.xcom_arg import XComArg
from orchestrator.sdk.exceptions import AirflowException

_DOCS = ("doc", "doc_md", "doc_json", "doc_yaml", "doc_rst")


def unique_task_id(task_id: str, dag: Any = None, task_group: Any = None) -> str:
    """Return ``task_id``, or with ``__1``, ``__2``… if the DAG has that task; the prefix of the group counts."""
    dag = dag or DagContext.get_current()
    if dag is None:
        return task_id
    group = task_group or TaskGroupContext.get_current(dag)
    full = group.child_id if group is not None else str
    groups = group.used_group_ids if group is not None else set()

    def is_free(name: str) -> bool:
        return full(name) not in dag.task_dict and full(name) not in groups

    if is_free(task_id):
        return task_id
    base = re.split(r"__\d+$", task_id)[0]
    # Counting goes on from the last number, so that ten thousand calls of one function stay cheap.
    number = dag.last_suffixes.get(full(base), 0) + 1
    while not is_free(f"{base}__{number}"):
        number += 1
    dag.last_suffixes[full(base)] = number
    return f"{base}__{number}"


class DecoratedOperator(BaseOperator):
    """Base of the operators behind ``@task``: runs ``python_callable`` with ``op_args`` and ``op_kwargs``."""

    template_fields: Collection[str] = ("op_args", "op_kwargs")
    template_fields_renderers = {"op_args": "py", "op_kwargs": "py"}
    shallow_copy_attrs: Sequence[str] = ("python_callable",)
    op_args: Any
    op_kwargs: Any
    custom_operator_name = "@task"

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        task_id: str,
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        kwargs_to_upstream: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        task_id = unique_task_id(task_id, kwargs.get("dag"), kwargs.get("task_group"))
        self.python_callable = python_callable
        self.op_args, self.op_kwargs = list(op_args or ()), dict(op_kwargs or {})
        bind_arguments(python_callable, self.op_args, self.op_kwargs)
        super().__init__(task_id=task_id, **(kwargs_to_upstream or {}), **kwargs)

    def get_python_source(self) -> str:
        """Return the source of the function without its decorators."""
        lines = textwrap.dedent(inspect.getsource(unwrap(self.python_callable))).splitlines(keepends=True)
        start = next((i for i, line in enumerate(lines) if re.match(r"\s*(async\s+)?def\s|.*lambda", line)), 0)
        return "".join(lines[start:])


class TaskDecorator:
    """What ``@task`` leaves in place of the function: call it in a DAG to make a task."""

    def __init__(
        self,
        function: Any,
        operator_class: type[BaseOperator],
        multiple_outputs: bool | None,
        kwargs: dict[str, Any],
    ) -> None:
        self.function, self.operator_class, self.kwargs = function, operator_class, dict(kwargs)
        self._given_outputs = multiple_outputs
        self.is_setup = self.is_teardown = False
        self.on_failure_fail_dagrun = False
        self.returns_dag_result = False
        self.kwargs.setdefault("task_id", getattr(unwrap(function), "__name__", type(function).__name__))
        functools.update_wrapper(self, function, updated=())

    @property
    def __wrapped__(self) -> Any:
        """Return the function, so that tests can call it as it is."""
        return self.function

    @__wrapped__.setter
    def __wrapped__(self, value: Any) -> None:
        """Ignore what ``functools.update_wrapper`` sets: the function is known."""

    @functools.cached_property
    def multiple_outputs(self) -> bool:
        """Return whether items of a returned dict are pushed one by one."""
        if self._given_outputs is not None:
            return self._given_outputs
        return infer_multiple_outputs(self.function)

    def _documented(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        text = getattr(self.function, "__doc__", None)
        if text and not any(kwargs.get(name) for name in _DOCS):
            kwargs["doc_md"] = text
        return kwargs

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Make a task that calls the function with these arguments; returns the reference to its output."""
        fail = bool(self.kwargs.pop("on_failure_fail_dagrun", self.on_failure_fail_dagrun))
        operator = self.operator_class(
            python_callable=self.function,
            op_args=args,
            op_kwargs=kwargs,
            **self._outputs(),
            **self._documented(self._ruled()),
        )
        return self._finish(operator, fail)

    def _ruled(self) -> dict[str, Any]:
        """Return the operator's arguments, with the one trigger rule that a teardown can have."""
        if not self.is_teardown:
            return dict(self.kwargs)
        if "trigger_rule" in self.kwargs:
            raise ValueError(
                f"Trigger rule not configurable for teardown tasks: take trigger_rule out of {self.kwargs['task_id']!r}."
            )
        return {**self.kwargs, "trigger_rule": "all_done_setup_success"}

    def _outputs(self) -> dict[str, Any]:
        return {"multiple_outputs": self.multiple_outputs}

    def _finish(self, operator: Any, fail: bool) -> Any:
        from orchestrator.sdk.definitions.setup_teardown import SetupTeardownContext

        operator.is_setup, operator.is_teardown = self.is_setup, self.is_teardown
        operator.returns_dag_result = self.returns_dag_result
        if self.is_setup or self.is_teardown:
            SetupTeardownContext.forget(operator)
        if self.is_teardown:
            operator.on_failure_fail_dagrun = fail
        return XComArg(operator)

    def override(self, **kwargs: Any) -> TaskDecorator:
        """Return the same with other operator arguments."""
        outputs = kwargs.pop("multiple_outputs", self._given_outputs)
        other = TaskDecorator(self.function, self.operator_class, outputs, {**self.kwargs, **kwargs})
        self._copy_roles(other)
        return other

    def partial(self, **kwargs: Any) -> TaskDecorator:
        """Return the same with some arguments of the function given to all mapped instances."""
        self._check_names("partial", kwargs)
        op_kwargs = self.kwargs.get("op_kwargs") or {}
        twice = sorted(op_kwargs.keys() & kwargs.keys())
        if twice:
            raise TypeError(f"partial() of task {self.kwargs['task_id']!r} got the argument {twice} twice")
        other = TaskDecorator(
            self.function, self.operator_class, self._given_outputs, {**self.kwargs, "op_kwargs": {**op_kwargs, **kwargs}}
        )
        self._copy_roles(other)
        return other

    def _copy_roles(self, other: TaskDecorator) -> None:
        for name in ("is_setup", "is_teardown", "on_failure_fail_dagrun", "returns_dag_result"):
            setattr(other, name, getattr(self, name))

    def expand(self, **map_kwargs: Any) -> Any:
        """Make a mapped task over lists, dicts or outputs; returns the reference to its outputs."""
        if not map_kwargs:
            raise TypeError("no arguments to expand against")
        if self.kwargs.get("trigger_rule") == TriggerRule.ALWAYS and any(isinstance(v, XComArg) for v in map_kwargs.values()):
            raise ValueError(
                f"task {self.kwargs['task_id']!r} has the trigger rule 'always', so it cannot be mapped over an output"
            )
        self._check_names("expand", map_kwargs)
        check_expand_kwargs(map_kwargs, f"task {self.kwargs['task_id']!r}")
        # An argument that partial() has too gets the value of the index.
        return self._map(DictOfListsExpandInput(map_kwargs), strict=False)

    def expand_kwargs(self, kwargs: Any, *, strict: bool = True) -> Any:
        """Make a mapped task over dicts of arguments; returns the reference to its outputs."""
        if isinstance(kwargs, list | tuple):
            for item in kwargs:
                if not isinstance(item, XComArg | Mapping):
                    raise TypeError(f"expected XComArg or list[dict], not {type(kwargs).__name__}")
        elif not isinstance(kwargs, XComArg):
            raise TypeError(f"expected XComArg or list[dict], not {type(kwargs).__name__}")
        refuse_keyed(kwargs, f"task {self.kwargs['task_id']!r}")
        return self._map(ListOfDictsExpandInput(kwargs), strict=strict)

    def _map(self, expand_input: Any, *, strict: bool) -> Any:
        kwargs = self._ruled()
        task_id = unique_task_id(kwargs.pop("task_id"), kwargs.get("dag"), kwargs.get("task_group"))
        fail = bool(kwargs.pop("on_failure_fail_dagrun", self.on_failure_fail_dagrun))
        op_kwargs = kwargs.pop("op_kwargs", None) or {}
        partial = operator_partial(self.operator_class, task_id=task_id, **kwargs)
        partial._expand_called = True
        outputs = {"multiple_outputs": self.multiple_outputs} if "multiple_outputs" in accepted_names(self.operator_class) else {}
        shared = {**outputs, **partial.kwargs, "python_callable": self.function, "op_args": [], "op_kwargs": op_kwargs}
        operator = DecoratedMappedOperator(self.operator_class, shared, partial.params, expand_input, strict=strict)
        return self._finish(operator, fail)

    def _check_names(self, func: str, kwargs: Mapping[str, Any]) -> None:
        parameters = inspect.signature(self.function).parameters
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
            return
        unknown = sorted(kwargs.keys() - parameters.keys())
        if unknown:
            raise TypeError(f"{func}() got an unexpected keyword argument {', '.join(map(repr, unknown))}")
        taken = sorted(name for name in kwargs if name in CONTEXT_KEYS)
        if taken and func == "expand":
            raise ValueError(f"cannot call expand() on task context variable {', '.join(map(repr, taken))}")


class DecoratedMappedOperator(MappedOperator):
    """A mapped task made by ``@task``: the mapped arguments are those of the function."""

    mapped_arguments_name = "op_kwargs_expand_input"
    # As in Airflow: what an index of a mapped @task.branch or @task.short_circuit chose counts for no other task, while that of a
    # mapped BranchPythonOperator counts for the same index of a mapped task below.
    inherits_from_skipmixin = False

    def _instance_kwargs(self, mapped: Mapping[str, Any]) -> dict[str, Any]:
        shared = self.partial_kwargs["op_kwargs"]
        twice = sorted(shared.keys() & mapped.keys())
        if twice and self._disallow_kwargs_override:
            raise TypeError(f"mapping already partial argument: {', '.join(twice)}")
        return {**super()._instance_kwargs({}), "op_kwargs": {**shared, **mapped}}


def task_decorator_factory(
    python_callable: Callable[..., Any] | None = None,
    *,
    multiple_outputs: bool | None = None,
    decorated_operator_class: type[BaseOperator],
    **kwargs: Any,
) -> Any:
    """Return the decorator ``@task(...)``, or with a function the decorated function.

    Raises ``TypeError`` for positional arguments and classes.
    """
    if python_callable is not None:
        if isinstance(python_callable, type):
            raise TypeError(f"@task takes a function, not the class {python_callable.__name__}")
        if not callable(python_callable):
            raise TypeError("No args allowed while using @task, use kwargs instead")
        return TaskDecorator(python_callable, decorated_operator_class, multiple_outputs, kwargs)

    def decorate(function: Callable[..., Any]) -> TaskDecorator:
        if not callable(function) or isinstance(function, type):
            raise AirflowException(f"@task takes a function, not {function!r:.100}")
        return TaskDecorator(function, decorated_operator_class, multiple_outputs, kwargs)

    return decorate
