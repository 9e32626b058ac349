"""Decides that a task is a setup or a teardown, not both; a mapped task may be both, as in Airflow, and has no such check."""

from __future__ import annotations


class SetupRole:
    """The two flags of ``BaseOperator``."""

    task_id: str
    _is_setup: bool = False
    _is_teardown: bool = False

    @property
    def is_setup(self) -> bool:
        """Whether what the task prepares lasts until its teardown. Setting it on a teardown raises ``ValueError``."""
        return self._is_setup

    @is_setup.setter
    def is_setup(self, value: bool) -> None:
        if value and self._is_teardown:
            raise ValueError(f"Task {self.task_id!r} is a teardown already; it cannot be a setup too")
        self._is_setup = value

    @property
    def is_teardown(self) -> bool:
        """Whether the task runs after the work of its setups. Setting it on a setup raises ``ValueError``."""
        return self._is_teardown

    @is_teardown.setter
    def is_teardown(self, value: bool) -> None:
        if value and self._is_setup:
            raise ValueError(f"Task {self.task_id!r} is a setup already; it cannot be a teardown too")
        self._is_teardown = value
