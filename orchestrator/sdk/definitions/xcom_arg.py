"""Decides how the output of one task is named as the input of another, and the edges that follow from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from orchestrator.sdk.definitions.dependency import DependencyMixin, Others, ResolveMixin
from orchestrator.sdk.definitions.sentinels import NOTSET

if TYPE_CHECKING:
    from orchestrator.sdk.definitions.xcom_derived import ConcatXComArg, MapXComArg, ZipXComArg

XCOM_RETURN_KEY = "return_value"


class XComArg(ResolveMixin, DependencyMixin):
    """A reference to the output of a task; ``XComArg(task)`` and ``task.output`` are the same."""

    # Off while the task of one map index is made: the mapped task has its edges already.
    draws_edges: ClassVar[bool] = True

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
        elif isinstance(arg, DependencyMixin):
            for name in getattr(arg, "template_fields", ()):
                yield from XComArg.iter_xcom_references(getattr(arg, name, None))

    @staticmethod
    def apply_upstream_relationship(op: Any, arg: Any) -> None:
        """Put every task that ``arg`` refers to upstream of ``op``."""
        for task, _ in XComArg.iter_xcom_references(arg) if XComArg.draws_edges else ():
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
        from orchestrator.sdk.definitions.xcom_derived import MapXComArg

        return MapXComArg(self, [f])

    def zip(self, *others: XComArg, fillvalue: Any = NOTSET) -> ZipXComArg:
        """Return a reference to tuples of this and the others' items."""
        from orchestrator.sdk.definitions.xcom_derived import ZipXComArg

        return ZipXComArg([self, *others], fillvalue=fillvalue)

    def concat(self, *others: XComArg) -> ConcatXComArg:
        """Return a reference to this one's items followed by the others'."""
        from orchestrator.sdk.definitions.xcom_derived import ConcatXComArg

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
        from orchestrator.sdk.definitions.xcom_pulling import pull_output

        return pull_output(context["ti"], self.operator, self.key)
