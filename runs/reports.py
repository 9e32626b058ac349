"""Decides how a worker's reports and the answers to them look inside the server: plain values, no models, no HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from runs.models import TaskInstance


@dataclass(frozen=True, slots=True)
class Start:
    """A worker wants to begin an attempt that was handed to it."""

    ti_id: UUID
    dispatch_id: UUID | None
    hostname: str
    unixname: str
    pid: int
    start_date: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """A worker says how an attempt ended: success, failed, skipped, removed or up_for_retry."""

    ti_id: UUID
    dispatch_id: UUID | None
    state: str
    end_date: datetime
    rendered_map_index: str | None = None
    cause: str = ""
    cause_detail: str = ""
    exit_code: int | None = None
    signal: int | None = None
    peak_rss_kb: int | None = None
    retry_delay: float | None = None  # seconds, when a retry policy chose it
    final: bool = False  # no retry of any budget follows
    queue: str | None = None  # where the next try runs, when a rule chose it
    leaves: str = ""  # what the worker left to the server: "" nothing, "alerts", or "callbacks" and alerts
    outlets: Sequence[Any] = ()  # profiles of the assets that a success wrote
    outlet_events: Sequence[Any] = ()  # what it said about them


@dataclass(frozen=True, slots=True)
class Deferral:
    """A worker hands its attempt to a trigger."""

    ti_id: UUID
    dispatch_id: UUID | None
    classpath: str
    kwargs: Any
    next_method: str
    next_kwargs: Any
    trigger_timeout: datetime | None = None
    rendered_map_index: str | None = None
    queue: str | None = None


@dataclass(frozen=True, slots=True)
class InputWait:
    """A worker hands its attempt to a person; ``timeout`` is when the wait ends without an answer."""

    ti_id: UUID
    dispatch_id: UUID | None
    next_method: str
    next_kwargs: Any
    timeout: datetime | None = None
    rendered_map_index: str | None = None


@dataclass(frozen=True, slots=True)
class Reschedule:
    """A sensor asks to be run again later."""

    ti_id: UUID
    dispatch_id: UUID | None
    reschedule_date: datetime
    end_date: datetime


@dataclass(frozen=True, slots=True)
class Renewal:
    """A worker says that an attempt still runs."""

    ti_id: UUID
    dispatch_id: UUID | None
    hostname: str
    pid: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one report.

    ``won``: the row changed. ``repeated``: it already was as reported, by the same dispatch (answer 2xx, invariant I5).
    Otherwise the report lost: ``previous_state`` is the state found (None also when ``missing``), ``reason`` a word for it,
    ``actor`` who moved the attempt away, where known.
    """

    won: bool = False
    repeated: bool = False
    missing: bool = False
    previous_state: str | None = None
    reason: str = ""
    actor: str = ""
    instance: TaskInstance | None = None

    @property
    def accepted(self) -> bool:
        """True when the worker may go on as if its report had been the first."""
        return self.won or self.repeated
