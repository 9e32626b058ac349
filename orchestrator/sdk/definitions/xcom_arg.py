"""Decides how the output of one task is named as the input of another, and the edges that follow from it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from orchestrator.sdk.definitions.dependency import DependencyMixin, Others, ResolveMixin
from orchestrator.sdk.definitions.sentinels import NOTSET, is_arg_set
from orchestrator.sdk.exceptions import XComNotFound

XCOM_RETURN_KEY = "return_value"


class XComArg(ResolveMixin, DependencyMixin):
    """A reference to the output of a task; ``XComArg(task)`` and ``task.output`` are the same."""

    def __new__(cls, *args: Any, **kwargs: Any) -> XComArg:
        return super().__new__(PlainXComArg if cls is XComArg else cls)

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        """Return the pairs of task and key that this needs."""
        raise NotImplementedError

    @staticmethod
    def iter_xcom_references(arg: Any) -> Iterator[tuple[Any, str]]:
        """Return the pairs of task and key anywhere in ``arg``: lists, dicts and operators' template fields included."""
        if isinstance(arg, ResolveMixin):
            yield from arg.iter_references()
        elif isinstance(arg, tuple | set | list):
            for item in arg:
                yield from XComArg.iter_xcom_references(item)
        elif isinstance(arg, dict):
            for item in arg.values():
                yield from XComArg.iter_xcom_references(item)
        elif hasattr(arg, "template_fields") and hasattr(arg, "task_id"):
            for name in arg.template_fields:
                yield from XComArg.iter_xcom_references(getattr(arg, name, None))

    @staticmethod
    def apply_upstream_relationship(op: Any, arg: Any) -> None:
        """Put every task that ``arg`` refers to upstream of ``op``."""
        for task, _ in XComArg.iter_xcom_references(arg):
            if task is not op:
                op.set_upstream(task)

    @property
    def roots(self) -> list[Any]:
        """Return the tasks referred to."""
        return [task for task, _ in self.iter_references()]

    @property
    def leaves(self) -> list[Any]:
        """Return the tasks referred to."""
        return self.roots

    def set_upstream(self, other: Others, edge_modifier: Any = None) -> None:
        """Put ``other`` before the tasks referred to."""
        for task in self.roots:
            task.set_upstream(other, edge_modifier)

    def set_downstream(self, other: Others, edge_modifier: Any = None) -> None:
        """Put ``other`` after the tasks referred to."""
        for task in self.roots:
            task.set_downstream(other, edge_modifier)

    def serialize(self) -> dict[str, Any]:
        """Return the reference as JSON types."""
        raise NotImplementedError

    def map(self, f: Callable[[Any], Any]) -> MapXComArg:
        """Return a reference whose items go through ``f``; the function must not be a task."""
        return MapXComArg(self, [f])

    def zip(self, *others: XComArg, fillvalue: Any = NOTSET) -> ZipXComArg:
        """Return a reference to tuples of this and the others' items."""
        return ZipXComArg([self, *others], fillvalue=fillvalue)

    def concat(self, *others: XComArg) -> ConcatXComArg:
        """Return a reference to this one's items followed by the others'."""
        return ConcatXComArg([self, *others])

    def __enter__(self) -> Any:
        from orchestrator.sdk.definitions.setup_teardown import SetupTeardownContext

        SetupTeardownContext.push(self.roots)
        return SetupTeardownContext

    def __exit__(self, *_: Any) -> None:
        from orchestrator.sdk.definitions.setup_teardown import SetupTeardownContext

        SetupTeardownContext.pop()


class PlainXComArg(XComArg):
    """One key of one task's output."""

    def __init__(self, operator: Any, key: str = XCOM_RETURN_KEY) -> None:
        self.operator, self.key = operator, key

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PlainXComArg):
            return NotImplemented
        return self.operator is other.operator and self.key == other.key

    def __hash__(self) -> int:
        return hash((id(self.operator), self.key))

    def __getitem__(self, item: str) -> PlainXComArg:
        if not isinstance(item, str):
            raise ValueError(f"an XCom key must be a str, not {type(item).__name__} {item!r}")
        return PlainXComArg(self.operator, item)

    def __iter__(self) -> Iterator[Any]:
        raise TypeError(f"the output of task {self.operator.task_id!r} is known only at run time; iterate over it in a task")

    def __repr__(self) -> str:
        return f"XComArg({self.operator!r})" if self.key == XCOM_RETURN_KEY else f"XComArg({self.operator!r}, {self.key!r})"

    def __str__(self) -> str:
        task_id, dag_id = self.operator.task_id, self.operator.dag_id
        call = f"task_instance.xcom_pull(task_ids={task_id!r}, dag_id={dag_id!r}, key={self.key!r})"
        return "{{ " + call + " }}"

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        """Return the one task and key."""
        yield self.operator, self.key

    def serialize(self) -> dict[str, Any]:
        """Return task id and key."""
        return {"type": "plain", "task_id": self.operator.task_id, "key": self.key}

    def map(self, f: Callable[[Any], Any]) -> MapXComArg:
        """Return a mapped reference; only the return value can be mapped."""
        self._require_return_value("map")
        return super().map(f)

    def zip(self, *others: XComArg, fillvalue: Any = NOTSET) -> ZipXComArg:
        """Return a zipped reference; only the return value can be zipped."""
        self._require_return_value("zip")
        return super().zip(*others, fillvalue=fillvalue)

    def concat(self, *others: XComArg) -> ConcatXComArg:
        """Return a joined reference; only the return value can be joined."""
        self._require_return_value("concat")
        return super().concat(*others)

    def _require_return_value(self, verb: str) -> None:
        if self.key != XCOM_RETURN_KEY:
            raise ValueError(
                f"cannot {verb} the XCom {self.key!r} of task {self.operator.task_id!r}: only the return value can be used"
            )

    @property
    def is_setup(self) -> bool:
        """Return whether the task is a setup."""
        return bool(self.operator.is_setup)

    @is_setup.setter
    def is_setup(self, value: bool) -> None:
        self.operator.is_setup = value

    @property
    def is_teardown(self) -> bool:
        """Return whether the task is a teardown."""
        return bool(self.operator.is_teardown)

    @is_teardown.setter
    def is_teardown(self, value: bool) -> None:
        self.operator.is_teardown = value

    @property
    def on_failure_fail_dagrun(self) -> bool:
        """Return whether a failed teardown fails its run."""
        return bool(self.operator.on_failure_fail_dagrun)

    @on_failure_fail_dagrun.setter
    def on_failure_fail_dagrun(self, value: bool) -> None:
        self.operator.on_failure_fail_dagrun = value

    def as_setup(self) -> PlainXComArg:
        """Make the task a setup."""
        self.operator.as_setup()
        return self

    def as_teardown(self, *, setups: Any = None, on_failure_fail_dagrun: bool | None = None) -> PlainXComArg:
        """Make the task a teardown of ``setups``."""
        self.operator.as_teardown(setups=setups, on_failure_fail_dagrun=on_failure_fail_dagrun)
        return self

    def resolve(self, context: Mapping[str, Any]) -> Any:
        """Return the pushed value; a task that returned nothing gives None, a missing other key raises ``XComNotFound``."""
        ti = context["ti"]
        task_id = self.operator.task_id
        map_indexes: Any = None
        if self.operator.is_mapped:
            return ti.xcom_pull(task_ids=task_id, key=self.key, map_indexes=NOTSET, default=NOTSET)
        if self.operator.get_closest_mapped_task_group() is not None:
            map_indexes = (getattr(ti, "_upstream_map_indexes", None) or {}).get(task_id)
        value = ti.xcom_pull(task_ids=task_id, key=self.key, default=NOTSET, map_indexes=map_indexes)
        if is_arg_set(value):
            return value
        if self.key == XCOM_RETURN_KEY or self.operator.multiple_outputs:
            return None
        raise XComNotFound(ti.dag_id, task_id, self.key)


class MapXComArg(XComArg):
    """Items of a reference, each put through functions."""

    def __init__(self, arg: XComArg, callables: list[Callable[[Any], Any]]) -> None:
        for f in callables:
            if hasattr(f, "override") and hasattr(f, "operator_class"):
                raise ValueError("map() argument must be a plain function, not a @task operator")
        self.arg, self.callables = arg, callables

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        """Return what the inner reference needs."""
        yield from self.arg.iter_references()

    def map(self, f: Callable[[Any], Any]) -> MapXComArg:
        """Return a reference with one more function."""
        return MapXComArg(self.arg, [*self.callables, f])

    def serialize(self) -> dict[str, Any]:
        """Return the inner reference and the functions' sources."""
        return {"type": "map", "arg": self.arg.serialize(), "callables": [_source(f) for f in self.callables]}

    def resolve(self, context: Mapping[str, Any]) -> Any:
        """Return a lazy list of the results."""
        from orchestrator.sdk.definitions.xcom_results import MapResult

        return MapResult(_sized(self.arg.resolve(context)), self.callables)


class ZipXComArg(XComArg):
    """Items of several references side by side."""

    def __init__(self, args: list[XComArg], *, fillvalue: Any = NOTSET) -> None:
        if not args:
            raise ValueError("zip() takes at least one XComArg")
        self.args, self.fillvalue = list(args), fillvalue

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        """Return what the inner references need."""
        for arg in self.args:
            yield from arg.iter_references()

    def serialize(self) -> dict[str, Any]:
        """Return the inner references and the fill value, if there is one."""
        fill = {"fillvalue": self.fillvalue} if is_arg_set(self.fillvalue) else {}
        return {"type": "zip", "args": [arg.serialize() for arg in self.args], **fill}

    def resolve(self, context: Mapping[str, Any]) -> Any:
        """Return a lazy list of tuples."""
        from orchestrator.sdk.definitions.xcom_results import ZipResult

        return ZipResult([_sized(arg.resolve(context)) for arg in self.args], fillvalue=self.fillvalue)


class ConcatXComArg(XComArg):
    """Items of several references one after the other."""

    def __init__(self, args: list[XComArg]) -> None:
        if not args:
            raise ValueError("concat() takes at least one XComArg")
        self.args = list(args)

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        """Return what the inner references need."""
        for arg in self.args:
            yield from arg.iter_references()

    def concat(self, *others: XComArg) -> ConcatXComArg:
        """Return a reference with more at the end."""
        return ConcatXComArg([*self.args, *others])

    def serialize(self) -> dict[str, Any]:
        """Return the inner references."""
        return {"type": "concat", "args": [arg.serialize() for arg in self.args]}

    def resolve(self, context: Mapping[str, Any]) -> Any:
        """Return a lazy list of all items."""
        from orchestrator.sdk.definitions.xcom_results import ConcatResult

        return ConcatResult([_sized(arg.resolve(context)) for arg in self.args])


def _sized(value: Any) -> Any:
    from orchestrator.sdk.exceptions import XComForMappingNotPushed

    if value is None or not is_arg_set(value):
        raise XComForMappingNotPushed
    if not hasattr(value, "__len__"):
        raise ValueError(f"XCom map expects sequence or dict, not {type(value).__name__}")
    return value


def _source(function: Any) -> str:
    try:
        return inspect.getsource(function).strip()
    except (OSError, TypeError):
        return getattr(function, "__qualname__", None) or type(function).__qualname__
