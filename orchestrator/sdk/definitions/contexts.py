"""Decides which DAG and which task group a new task falls into, and which DAGs a file has registered."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.sdk.definitions.dag import DAG
    from orchestrator.sdk.definitions.task_group import TaskGroup


class DagContext:
    """The stack of ``with DAG(...)`` blocks that are open, and the DAGs registered so far."""

    _open: deque[DAG] = deque()
    #: Pairs of DAG and name of the module being imported, in the order of registration.
    autoregistered_dags: dict[tuple[DAG, str | None], None] = {}
    current_autoregister_module_name: str | None = None

    @classmethod
    def push(cls, dag: DAG) -> None:
        """Open the block of a DAG."""
        cls._open.appendleft(dag)

    @classmethod
    def pop(cls) -> DAG:
        """Close the innermost block; registers its DAG unless the author has switched that off."""
        dag = cls._open.popleft()
        if dag.auto_register:
            cls.register(dag)
        return dag

    @classmethod
    def register(cls, dag: DAG) -> None:
        """Note that the module being imported defines this DAG."""
        cls.autoregistered_dags[(dag, cls.current_autoregister_module_name)] = None

    @classmethod
    def get_current(cls) -> DAG | None:
        """Return the DAG of the innermost open block."""
        return cls._open[0] if cls._open else None

    get_current_dag = get_current


class TaskGroupContext:
    """The stack of ``with TaskGroup(...)`` blocks that are open."""

    _open: deque[TaskGroup] = deque()

    @classmethod
    def push(cls, group: TaskGroup) -> None:
        """Open the block of a group."""
        cls._open.appendleft(group)

    @classmethod
    def pop(cls) -> TaskGroup:
        """Close the innermost block."""
        return cls._open.popleft()

    @classmethod
    def get_current(cls, dag: DAG | None = None) -> TaskGroup | None:
        """Return the innermost open group of the DAG, else the DAG's root group."""
        for group in cls._open:
            if dag is None or group.dag is dag:
                return group
        dag = dag or DagContext.get_current()
        return dag.task_group if dag is not None else None


def reset() -> None:
    """Forget open blocks and registered DAGs; the parse child calls this before each file."""
    DagContext._open.clear()
    DagContext.autoregistered_dags.clear()
    TaskGroupContext._open.clear()
