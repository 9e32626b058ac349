"""Decides what a request is once it left HTTP: the same for a single request and for one out of a batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from executionapi.fields import MISSING, Place, uuid
from executionapi.replies import RefusalError, Reply
from executionapi.versions import HEAD
from runs.workload_tokens import TaskToken


@dataclass(slots=True)
class Call:
    """One request for one operation; ``value`` is what the operation read out of it."""

    args: dict[str, str] = field(default_factory=dict)
    query: dict[str, list[str]] = field(default_factory=dict)
    body: Any = MISSING
    bearer: str | None = None
    version: str = HEAD
    token: TaskToken | None = None
    value: Any = None

    @property
    def subject(self) -> str:
        """The attempt that the token is for, as text."""
        return self.token.subject if self.token else ""

    @property
    def ti_id(self) -> UUID:
        """The attempt that the token is for. Raises RefusalError 422 where the path holds no UUID."""
        try:
            return UUID(self.subject)
        except ValueError:
            place: Place = ("path", "task_instance_id")
            error = {"type": "uuid_parsing", "loc": list(place), "msg": "Input should be a valid UUID", "input": self.subject}
            raise RefusalError(422, [error]) from None

    @property
    def dispatch_id(self) -> UUID | None:
        """The hand-over that the token is for."""
        return self.token.dispatch_id if self.token else None


Read = Callable[[Call], Any]
Work = Callable[[list[Call]], list[Reply]]
WorkOne = Callable[[Call], Reply]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the API.

    ``read`` turns a call into its ``value`` without touching the database, or raises RefusalError. ``work`` answers
    many calls at once; with ``writes`` inside one transaction. ``own`` means that the path names the token's attempt.
    ``rank`` orders the operations of one batch. ``shape`` fits a 200 body to an older version.
    """

    method: str
    path: str
    work: Work
    read: Read | None = None
    scopes: tuple[str, ...] = ("execution",)
    own: bool = False
    public: bool = False
    writes: bool = False
    rank: int = 1
    since: str = ""
    until: str = "9999"
    shape: Callable[[str, Any], Any] | None = None


def one_by_one(work: WorkOne) -> Work:
    """Answer calls one after the other; for operations that are rarely many."""
    return partial(_each, work)


def _each(work: WorkOne, calls: list[Call]) -> list[Reply]:
    return [_refusable(work, call) for call in calls]


def _refusable(work: WorkOne, call: Call) -> Reply:
    try:
        return work(call)
    except RefusalError as refused:
        return refused.reply


__all__ = ["Call", "Operation", "one_by_one", "uuid"]
