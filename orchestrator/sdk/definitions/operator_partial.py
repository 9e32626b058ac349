"""Decides what ``Operator.partial(...)`` takes and how ``expand`` makes a mapped task of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.sdk.definitions.contexts import DagContext, TaskGroupContext
from orchestrator.sdk.definitions.expand import DictOfListsExpandInput, ListOfDictsExpandInput, check_expand_kwargs, refuse_keyed
from orchestrator.sdk.definitions.mapped import UNMAPPABLE, MappedOperator, accepted_names, check_names
from orchestrator.sdk.definitions.operator import BaseOperator
from orchestrator.sdk.definitions.operator_defaults import merged_defaults
from orchestrator.sdk.definitions.param import ParamsDict
from orchestrator.sdk.definitions.xcom_arg import XComArg


def operator_partial(
    operator_class: type[BaseOperator],
    *,
    task_id: str,
    dag: Any = None,
    task_group: Any = None,
    params: Any = None,
    **kwargs: Any,
) -> OperatorPartial:
    """Return the half-given operator; defaults of DAG and groups are merged in as for any operator."""
    dag = dag or (task_group.dag if task_group is not None else None) or DagContext.get_current()
    if dag is not None and task_group is None:
        task_group = TaskGroupContext.get_current(dag)
    check_names(operator_class, "partial", kwargs, task_id)
    defaults, merged = merged_defaults(dag, task_group, params, kwargs.pop("default_args", None))
    known = accepted_names(operator_class)
    usual = {name: value for name, value in defaults.items() if name in known and name not in kwargs}
    given = {**kwargs, "task_id": task_id, "dag": dag, "task_group": task_group}
    return OperatorPartial(operator_class, usual | given, merged, defaulted=frozenset(usual))


class OperatorPartial:
    """What ``Operator.partial(...)`` returns; ``expand`` or ``expand_kwargs`` makes the task."""

    def __init__(
        self,
        operator_class: type[BaseOperator],
        kwargs: dict[str, Any],
        params: ParamsDict,
        *,
        defaulted: frozenset[str] = frozenset(),
    ) -> None:
        self.operator_class, self.kwargs, self.params = operator_class, kwargs, params
        self._defaulted = defaulted  # what only default_args gave: expand() may give it too, and wins
        self._expand_called = False

    def __repr__(self) -> str:
        return f"{self.operator_class.__name__}.partial(task_id={self.kwargs['task_id']!r})"

    def __del__(self) -> None:
        if not self._expand_called:
            import warnings

            warnings.warn(f"Task {self.kwargs.get('task_id')!r} was never mapped; call expand() on {self!r}", stacklevel=2)

    def expand(self, **mapped_kwargs: Any) -> MappedOperator:
        """Map over lists, dicts or outputs; raises ``TypeError`` without arguments and ``ValueError`` for wrong ones."""
        self._expand_called = True
        if not mapped_kwargs:
            raise TypeError("no arguments to expand against")
        check_expand_kwargs(mapped_kwargs, repr(self))
        self._refuse_duplicates(mapped_kwargs)
        return self._map(DictOfListsExpandInput(mapped_kwargs), mapped_kwargs)

    def expand_kwargs(self, kwargs: Any, *, strict: bool = True) -> MappedOperator:
        """Map over dicts of arguments; with ``strict`` an index may not repeat an argument of ``partial``."""
        self._expand_called = True
        if isinstance(kwargs, list | tuple):
            for item in kwargs:
                if not isinstance(item, XComArg | Mapping):
                    raise TypeError(f"expected XComArg or list[dict], not {type(kwargs).__name__} with {type(item).__name__}")
        elif not isinstance(kwargs, XComArg):
            raise TypeError(f"expected XComArg or list[dict], not {type(kwargs).__name__}")
        refuse_keyed(kwargs, repr(self))
        # As in Airflow, what an index gives is checked when its instance is made, written here or not.
        return self._map(ListOfDictsExpandInput(kwargs), {}, strict=strict)

    def _refuse_duplicates(self, mapped: Mapping[str, Any]) -> None:
        twice = sorted(mapped.keys() & ((self.kwargs.keys() - self._defaulted) | UNMAPPABLE))
        if twice:
            raise TypeError(f"unmappable or already specified argument(s) {twice} in expand() of task {self.kwargs['task_id']!r}")

    def _map(self, expand_input: Any, names: Mapping[str, Any], strict: bool = True) -> MappedOperator:
        check_names(self.operator_class, "expand", names, self.kwargs["task_id"])
        return MappedOperator(
            self.operator_class, self.kwargs, self.params, expand_input, strict=strict, defaulted=self._defaulted
        )
