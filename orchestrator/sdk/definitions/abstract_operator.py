"""Decides what a task and a mapped task have in common: names, groups, setup/teardown roles, template access."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from orchestrator.sdk.definitions.node import DAGNode
from orchestrator.sdk.definitions.setup_teardown import SetupTeardownContext
from orchestrator.sdk.definitions.shown_words import TriggerRule
from orchestrator.sdk.exceptions import AirflowException
from orchestrator.sdk.execution.templating.templater import Templater

DEFAULT_TRIGGER_RULE = "all_success"


class AbstractOperator(Templater, DAGNode):
    """Base of ``BaseOperator`` and ``MappedOperator``."""

    operator_class: Any
    task_id: str
    template_fields: Collection[str] = ()
    template_ext: Sequence[str] = ()
    template_fields_renderers: dict[str, str] = {}
    ui_color: str = "#fff"
    ui_fgcolor: str = "#000"
    operator_extra_links: Collection[Any] = ()
    is_setup: bool = False
    is_teardown: bool = False
    returns_dag_result: bool = False
    _on_failure_fail_dagrun: bool = False
    _is_sensor: bool = False
    _is_mapped: bool = False
    _can_skip_downstream: bool = False

    @property
    def node_id(self) -> str:
        """Return the task id."""
        return self.task_id

    @property
    def label(self) -> str | None:
        """Return the display name, else the id without the prefix of the group."""
        shown = self.task_display_name
        return shown if shown != self.task_id else super().label

    @property
    def task_type(self) -> str:
        """Return the name of the operator class."""
        return type(self).__name__

    @property
    def operator_name(self) -> str:
        """Return the name that people see: the class name unless the operator has another."""
        return getattr(self, "custom_operator_name", None) or self.task_type

    @property
    def task_display_name(self) -> str:
        """Return the name that people see for this task."""
        return getattr(self, "_task_display_name", None) or self.task_id

    @property
    def is_mapped(self) -> bool:
        """Return whether this is a mapped task."""
        return self._is_mapped

    @property
    def is_async(self) -> bool:
        """Return whether the task runs in an event loop."""
        return False

    @property
    def inherits_from_empty_operator(self) -> bool:
        """Return whether there is nothing to execute."""
        return False

    @property
    def inherits_from_skipmixin(self) -> bool:
        """Return whether the task may skip others."""
        return self._can_skip_downstream

    @property
    def on_failure_fail_dagrun(self) -> bool:
        """Return whether a failed teardown fails its run."""
        return self._on_failure_fail_dagrun

    @on_failure_fail_dagrun.setter
    def on_failure_fail_dagrun(self, value: bool) -> None:
        if value and not self.is_teardown:
            raise ValueError(f"Task {self.task_id!r} is no teardown; only teardowns take on_failure_fail_dagrun")
        self._on_failure_fail_dagrun = value

    @property
    def roots(self) -> list[Any]:
        """Return the task itself."""
        return [self]

    @property
    def leaves(self) -> list[Any]:
        """Return the task itself."""
        return [self]

    def as_setup(self) -> Any:
        """Make this a setup task: what it prepares lasts until its teardown."""
        self.is_setup = True
        return self

    def as_teardown(self, *, setups: Any = None, on_failure_fail_dagrun: bool | None = None) -> Any:
        """Make this a teardown task, run after its setups' work whatever that ended with."""
        self.is_teardown = True
        self.trigger_rule = TriggerRule.ALL_DONE_SETUP_SUCCESS
        if on_failure_fail_dagrun is not None:
            self.on_failure_fail_dagrun = on_failure_fail_dagrun
        if setups is not None:
            for setup in setups if isinstance(setups, list | tuple | set) else [setups]:
                task: Any = getattr(setup, "operator", setup)
                task.is_setup = True
                setup.set_downstream(self)
        return self

    def __enter__(self) -> type[SetupTeardownContext]:
        if not self.is_setup and not self.is_teardown:
            raise AirflowException(f"Task {self.task_id!r} is no setup or teardown, so it cannot open a `with` block")
        SetupTeardownContext.push(self)
        return SetupTeardownContext

    def __exit__(self, *_: Any) -> None:
        SetupTeardownContext.pop()

    def get_dag(self) -> Any:
        """Return the DAG, or None."""
        return getattr(self, "_dag", None)

    def iter_mapped_task_groups(self) -> Iterator[Any]:
        """Return the mapped groups around the task, innermost first."""
        return iter(()) if self.task_group is None else self.task_group.iter_mapped_task_groups()

    def get_closest_mapped_task_group(self) -> Any:
        """Return the innermost mapped group around the task, or None."""
        return next(self.iter_mapped_task_groups(), None)

    def get_needs_expansion(self) -> bool:
        """Return whether the number of instances of this task is decided at run time."""
        return self._is_mapped or self.get_closest_mapped_task_group() is not None

    def iter_mapped_dependants(self) -> Iterator[Any]:
        """Return the mapped tasks and groups downstream that map over this task's output."""
        for node in [*self.get_flat_relatives(upstream=False), *_groups_of(self.dag)]:
            if getattr(node, "is_mapped", False) and any(up is self for up in node.iter_mapped_dependencies()):
                yield node

    def expand_start_from_trigger(self, *, context: Any) -> bool:
        """Return whether this instance starts in the triggerer."""
        return bool(getattr(self, "start_from_trigger", False))

    def expand_start_trigger_args(self, *, context: Any) -> Any:
        """Return the arguments of the trigger that this instance starts with."""
        return getattr(self, "start_trigger_args", None)

    def get_extra_links(self, ti: Any, name: str) -> str | None:
        """Return the address of the link called ``name`` for a task instance."""
        for link in self.operator_extra_links:
            if link.name == name:
                return str(link.get_link(self, ti_key=ti.key))
        return None

    @property
    def extra_links(self) -> list[str]:
        """Return the names of the operator's links."""
        return sorted(link.name for link in self.operator_extra_links)

    def __repr__(self) -> str:
        kind = "Mapped" if self._is_mapped else "Task"
        return f"<{kind}({self.task_type}): {self.task_id}>"


def _groups_of(dag: Any) -> list[Any]:
    return [group for group in dag.task_group.get_task_group_dict().values() if group.is_mapped]
