"""Decides what a scheduler may ask of an executor, and which executor an attempt goes to.

An executor keeps no slot counters (invariant I2): what runs is computed from rows. It only knows what it was handed, so
that it can stop it and say how its process ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class HandOver:
    """One attempt for an executor: Airflow's ``ExecuteTask`` workload and the hand-over that it belongs to."""

    ti_id: UUID
    dispatch_id: UUID
    queue: str
    workload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ExecutorEvent:
    """What an executor says of a hand-over. Evidence only: states come from workers and the reaper (C01-e).

    ``kind`` is ``"rejected"`` (it will never start; ``cause`` says why) or ``"lost"`` (its process is certainly gone).
    """

    kind: str
    ti_id: UUID
    dispatch_id: UUID
    cause: str
    detail: str = ""
    exit_code: int | None = None
    signal: int | None = None


class Executor(Protocol):
    """The contract that every executor keeps; ``tests/conformance`` holds each of them to it."""

    name: str
    scheduler_id: UUID | None

    @property
    def owner_id(self) -> UUID | None:
        """The process that the hand-overs belong to: where it is dead, they are taken back at once."""

    def start(self) -> None:
        """Begin to accept hand-overs."""

    def submit(self, handovers: Sequence[HandOver]) -> None:
        """Take attempts whose rows are committed as queued. Must not block on the tasks."""

    def events(self) -> list[ExecutorEvent]:
        """Return what happened since the last call."""

    def descriptors(self) -> dict[int, Callable[[], Any]]:
        """Return file descriptors that become readable when ``events`` has news, with the function that reads them."""

    def revoke(self, ti_id: UUID, reason: str) -> None:
        """Stop an attempt that is no longer its worker's; unknown ids are ignored."""

    def drain(self, timeout_seconds: float) -> None:
        """Accept nothing more, let attempts end, and end them after the timeout."""

    def is_drained(self) -> bool:
        """Return whether nothing of what was handed over runs any more."""

    def stop(self) -> None:
        """End at once."""


class Executors:
    """The executors of a scheduler by name; the first is the default one. ``also`` has other names that tasks may give them."""

    def __init__(self, by_name: Mapping[str, Executor], also: Mapping[str, str] | None = None) -> None:
        if not by_name:
            raise ValueError("[core] executor names no executor")
        self.by_name, self._also = dict(by_name), dict(also or {})
        self.default = next(iter(self.by_name.values()))

    def named(self, name: str | None) -> Executor | None:
        """Return the executor that a task asks for, None where it is not configured."""
        return self.default if not name else self.by_name.get(name) or self.by_name.get(self._also.get(name, ""))

    def __iter__(self) -> Iterator[Executor]:
        return iter(self.by_name.values())

    def revoke(self, ti_id: UUID, reason: str) -> None:
        """Stop an attempt wherever it is."""
        for executor in self:
            executor.revoke(ti_id, reason)
