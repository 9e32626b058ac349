"""Decides what a deferred attempt is told when its wait is over; the words are those that Airflow's SDK expects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

FAIL_METHOD: Final = "__fail__"
TRIGGER_FAILURE: Final = "Trigger failure"
TRIGGER_TIMEOUT: Final = "Trigger timeout"


@dataclass(frozen=True, slots=True)
class Resumption:
    """The wait of one attempt is over: by an event, or because the trigger failed or took too long.

    ``event`` is the payload in the wire format of XComs. With ``failure`` set there is no event; ``traceback`` says why.
    """

    ti_id: UUID
    trigger_id: int | None
    event: Any = None
    failure: str = ""
    traceback: list[str] | None = None


@dataclass(frozen=True, slots=True)
class EndByTrigger:
    """A trigger ends its task without a worker; ``xcoms`` are values by key in the wire format of XComs."""

    ti_id: UUID
    trigger_id: int
    state: str
    xcoms: dict[str, Any] | None = None


def told(item: Resumption, next_method: str | None, next_kwargs: Any) -> tuple[str | None, Any]:
    """Return method and arguments that the task goes on with."""
    if item.failure == TRIGGER_FAILURE:
        return FAIL_METHOD, {"error": item.failure, "traceback": item.traceback}
    if item.failure:
        return FAIL_METHOD, {"error": item.failure}
    kwargs = dict(next_kwargs or {})
    if kwargs.get("__type") == "dict" and isinstance(kwargs.get("__var"), dict):  # as workers before Airflow 3.2 write it
        return next_method, {**kwargs, "__var": {**kwargs["__var"], "event": item.event}}
    return next_method, {**kwargs, "event": item.event}
