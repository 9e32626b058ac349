"""Decides what a delivery does; imports nothing, so that everyone can name it."""

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What is delivered, and so where it can run."""

    TASK = "task_callback"  # the author's callback of a task: needs the DAG file
    DAG = "dag_callback"  # the author's callback of a DAG: needs the DAG file
    NOTIFIER = "notifier"  # a built-in notifier, complete in the row
    EMAIL = "email"  # the e-mail of a task's `email`
    DEADLINE = "deadline"  # a function by its import path, in an executor
    DEADLINE_ASYNC = "deadline_async"  # a coroutine function by its import path, in the triggerer
    REFERENCE = "deadline_reference"  # an author's own reference, which says from when a deadline counts


# Messages to people: they can be grouped and muted. The others are the author's code, which always runs.
ALERTS: Final[frozenset[Kind]] = frozenset({Kind.NOTIFIER, Kind.EMAIL})
