"""Decides what code gets that imports the server's tables: a name for annotations, and a clear refusal when it is used."""

from __future__ import annotations

from typing import Any, NoReturn

_NAMES = (
    "AssetEvent", "Base", "DagModel", "DagTag", "DagWarning", "Deadline", "HITLDetail", "Job", "Log", "ParseImportError", "Pool",
    "RenderedTaskInstanceFields", "SerializedDagModel", "TaskInstanceHistory", "TaskReschedule", "Trigger",
)  # fmt: skip


class _Table(type):
    """A table that is not here: every use says so."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        _refuse(f"{cls.__name__}.{name}")

    def __call__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse(f"{cls.__name__}(...)")


def _refuse(what: str) -> NoReturn:
    raise RuntimeError(
        f"{what} needs the server's database, which DAG files and tasks cannot reach; "
        "use the REST API, or what the task's context has"
    )


def clear_task_instances(*args: Any, **kwargs: Any) -> NoReturn:
    """Refuse: tasks are cleared over the REST API."""
    _refuse("clear_task_instances(...)")


for _name in _NAMES:
    globals()[_name] = _Table(_name, (), {"__module__": __name__})
__all__ = [*_NAMES, "clear_task_instances"]
