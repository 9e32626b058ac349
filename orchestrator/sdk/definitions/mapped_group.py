"""Decides what a mapped task group is: its members run once per index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestrator.sdk.definitions.expand import MappedArgument
from orchestrator.sdk.definitions.task_group import TaskGroup


class MappedTaskGroup(TaskGroup):
    """A group whose members run once per index of ``expand_input``."""

    is_mapped = True

    def __init__(self, *args: Any, expand_input: Any, **kwargs: Any) -> None:
        for value in _values(expand_input):
            if isinstance(value, MappedArgument):
                raise ValueError(
                    f"task group {args[0] if args else kwargs.get('group_id')!r} is mapped over an argument of the mapped "
                    "group around it; a group inside of a mapped group can be mapped over lists only"
                )
        super().__init__(*args, **kwargs)
        self.expand_input = self._expand_input = expand_input

    def iter_mapped_dependencies(self) -> Iterator[Any]:
        """Return the tasks whose output the group maps over."""
        for task, _ in self.expand_input.iter_references():
            yield task

    def __exit__(self, *args: Any) -> None:
        # All members wait for the tasks that say how many indexes there are.
        for task, _ in self.expand_input.iter_references():
            self.set_upstream(task)
        super().__exit__(*args)


def _values(expand_input: Any) -> list[Any]:
    value = expand_input.value
    return list(value.values()) if isinstance(value, dict) else [value]
