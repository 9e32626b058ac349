"""Decides what is known of the items that an order means: a run with its places, a DAG, and how many there are by state."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """One task instance and the attempt that it had when it was chosen."""

    task_id: str
    map_index: int
    ti_id: str
    state: str | None


@dataclass(frozen=True, slots=True)
class RunItems:
    """What is chosen of one run: some task instances, or the run itself.

    ``weight`` is how long it takes, in task instances that are cleared. A chosen DAG has no run yet: ``pk`` is 0 and ``run_id``
    empty.
    """

    pk: int
    dag_id: str
    run_id: str
    state: str
    items: tuple[Item, ...] = ()
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Foreseen:
    """How many items an order means now, by state, in how many runs."""

    by_state: dict[str, int]
    runs: int

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.by_state.values())
