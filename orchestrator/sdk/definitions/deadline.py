"""Decides from which moment, and how long after it, a run, a task or a group of tasks is late."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from orchestrator.sdk.definitions.callback import Callback
from orchestrator.sdk.definitions.deadline_intervals import interval_document


class BaseDeadlineReference:
    """Base of the moments that an interval is added to."""

    required_kwargs: set[str] = set()

    @property
    def reference_name(self) -> str:
        """Return the class name."""
        return type(self).__name__

    def serialize_reference(self) -> dict[str, Any]:
        """Return what ``deserialize_reference`` needs."""
        return {"reference_type": self.reference_name}

    @classmethod
    def deserialize_reference(cls, reference_data: dict[str, Any]) -> BaseDeadlineReference:
        """Build the reference from what ``serialize_reference`` returned."""
        return cls()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BaseDeadlineReference):
            return NotImplemented
        return self.serialize_reference() == other.serialize_reference()

    def __hash__(self) -> int:
        return hash(frozenset(self.serialize_reference().items()))


class DagRunLogicalDateDeadline(BaseDeadlineReference):
    """The logical date of the run."""


class DagRunQueuedAtDeadline(BaseDeadlineReference):
    """When the run was queued."""


@dataclass(eq=False)
class FixedDatetimeDeadline(BaseDeadlineReference):
    """One moment."""

    _datetime: datetime

    def serialize_reference(self) -> dict[str, Any]:
        """Return also the moment, in POSIX seconds."""
        return {**super().serialize_reference(), "datetime": self._datetime.timestamp()}

    @classmethod
    def deserialize_reference(cls, reference_data: dict[str, Any]) -> FixedDatetimeDeadline:
        """Build the reference."""
        from orchestrator.sdk import timezone

        return cls(timezone.from_timestamp(reference_data["datetime"]))


@dataclass(eq=False)
class AverageRuntimeDeadline(BaseDeadlineReference):
    """When the run should be over, by the average of the last ``max_runs`` runs (at least ``min_runs``)."""

    DEFAULT_LIMIT = 10
    max_runs: int = 10
    min_runs: int | None = None

    def __post_init__(self) -> None:
        if self.min_runs is None:
            self.min_runs = self.max_runs
        if self.min_runs < 1:
            raise ValueError("min_runs must be at least 1")

    def serialize_reference(self) -> dict[str, Any]:
        """Return also the numbers."""
        return {**super().serialize_reference(), "max_runs": self.max_runs, "min_runs": self.min_runs}

    @classmethod
    def deserialize_reference(cls, reference_data: dict[str, Any]) -> AverageRuntimeDeadline:
        """Build the reference."""
        return cls(reference_data.get("max_runs", cls.DEFAULT_LIMIT), reference_data.get("min_runs"))


class DagRunStartedAtDeadline(BaseDeadlineReference):
    """When the run began. An extension of ours, as those below."""


class TaskQueuedAtDeadline(BaseDeadlineReference):
    """When the attempt was handed to an executor; for tasks and groups."""


class TaskStartedAtDeadline(BaseDeadlineReference):
    """When the attempt began; for tasks and groups."""


@dataclass(eq=False)
class WallClockDeadline(BaseDeadlineReference):
    """The first moment after the run is due at which the clock of a zone shows ``at`` (``"07:30"``)."""

    at: str = "00:00"
    zone: str = "UTC"

    def __post_init__(self) -> None:
        from zoneinfo import ZoneInfo

        ZoneInfo(self.zone)
        self.at = time.fromisoformat(self.at).isoformat() if isinstance(self.at, str) else self.at.isoformat()

    def serialize_reference(self) -> dict[str, Any]:
        """Return also time and zone."""
        return {**super().serialize_reference(), "at": self.at, "zone": self.zone}

    @classmethod
    def deserialize_reference(cls, reference_data: dict[str, Any]) -> WallClockDeadline:
        """Build the reference."""
        return cls(reference_data["at"], reference_data["zone"])


BUILT_IN = (
    DagRunLogicalDateDeadline, DagRunQueuedAtDeadline, FixedDatetimeDeadline, AverageRuntimeDeadline, DagRunStartedAtDeadline,
    TaskQueuedAtDeadline, TaskStartedAtDeadline, WallClockDeadline,
)  # fmt: skip


class DeadlineReference:
    """The references by name."""

    class TYPES:
        """When a reference is evaluated; here all are evaluated when the run is made."""

        DAGRUN_CREATED: tuple[Any, ...] = (DagRunLogicalDateDeadline, FixedDatetimeDeadline, AverageRuntimeDeadline)
        DAGRUN_QUEUED: tuple[Any, ...] = (DagRunQueuedAtDeadline,)
        DAGRUN: tuple[Any, ...] = (*DAGRUN_CREATED, *DAGRUN_QUEUED)

    DAGRUN_LOGICAL_DATE = DagRunLogicalDateDeadline()
    DAGRUN_QUEUED_AT = DagRunQueuedAtDeadline()
    DAGRUN_STARTED_AT = DagRunStartedAtDeadline()
    TASK_QUEUED_AT = TaskQueuedAtDeadline()
    TASK_STARTED_AT = TaskStartedAtDeadline()

    @classmethod
    def AVERAGE_RUNTIME(cls, max_runs: int = 0, min_runs: int | None = None) -> AverageRuntimeDeadline:
        """Return the reference to the average of the last runs."""
        return AverageRuntimeDeadline(max_runs or AverageRuntimeDeadline.DEFAULT_LIMIT, min_runs)

    @classmethod
    def WALL_CLOCK(cls, at: str | time, zone: str = "UTC") -> WallClockDeadline:
        """Return the reference to a time of day; raises ``ValueError`` for none, ``KeyError`` for an unknown zone."""
        return WallClockDeadline(at, zone)  # type: ignore[arg-type]

    @classmethod
    def FIXED_DATETIME(cls, moment: datetime) -> FixedDatetimeDeadline:
        """Return the reference to one moment."""
        return FixedDatetimeDeadline(moment)

    @classmethod
    def register_custom_reference(cls, reference_class: Any, deadline_reference_type: Any = None) -> Any:
        """Make an author's own reference known under its class name."""
        if not issubclass(reference_class, BaseDeadlineReference):
            raise ValueError(f"{reference_class.__name__} must inherit from BaseDeadlineReference")
        if deadline_reference_type is None:
            deadline_reference_type = cls.TYPES.DAGRUN_CREATED
        if deadline_reference_type not in (cls.TYPES.DAGRUN_CREATED, cls.TYPES.DAGRUN_QUEUED):
            raise ValueError(f"{deadline_reference_type} is not a DeadlineReference.TYPES for {reference_class.__name__}")
        try:
            setattr(cls, reference_class.__name__, reference_class())
        except TypeError as error:
            raise TypeError(
                f"{reference_class.__name__} must be constructible without arguments; give every field a default ({error})"
            ) from error
        kind = "DAGRUN_CREATED" if deadline_reference_type is cls.TYPES.DAGRUN_CREATED else "DAGRUN_QUEUED"
        setattr(cls.TYPES, kind, (*deadline_reference_type, reference_class))
        cls.TYPES.DAGRUN = (*cls.TYPES.DAGRUN_CREATED, *cls.TYPES.DAGRUN_QUEUED)
        return reference_class


def deadline_reference(deadline_reference_type: Any = None) -> Any:
    """Return the class decorator that registers an author's own reference."""
    if isinstance(deadline_reference_type, type) and issubclass(deadline_reference_type, BaseDeadlineReference):
        return DeadlineReference.register_custom_reference(deadline_reference_type)

    def decorate(reference_class: Any) -> Any:
        return DeadlineReference.register_custom_reference(reference_class, deadline_reference_type)

    return decorate


class DeadlineAlert:
    """Calls ``callback`` when a run is not over ``interval`` after ``reference``."""

    condition = "finished"

    def __init__(self, reference: Any, interval: Any, callback: Callback, name: str | None = None) -> None:
        if not isinstance(callback, Callback):
            raise ValueError(f"Callbacks of type {type(callback).__name__} are not currently supported")
        self.reference, self.interval, self.callback, self.name = reference, interval, callback, name

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DeadlineAlert):
            return NotImplemented
        same = isinstance(self.reference, type(other.reference)) and self.condition == other.condition
        return same and self.interval == other.interval and self.callback == other.callback

    def __hash__(self) -> int:
        return hash((type(self.reference).__name__, self.interval, self.callback))

    def serialize(self) -> dict[str, Any]:
        """Return all parts as JSON."""
        parts = {"reference": self._reference(), "interval": interval_document(self.interval)}
        return {**parts, "callback": _callback(self.callback), "name": self.name, "condition": self.condition}

    def _reference(self) -> dict[str, Any]:
        found = dict(self.reference.serialize_reference())
        if not isinstance(self.reference, BUILT_IN):
            kind = type(self.reference)
            found["__class_path"] = f"{kind.__module__}.{kind.__qualname__}"
        return found


class TaskDeadline(DeadlineAlert):
    """A deadline of a task, of each index of a mapped task, or of a group: give it as ``deadline=`` to an operator or group.

    Make it by one of the three class methods, which read like the sentence that they check.
    """

    def __init__(
        self, reference: Any, interval: Any, callback: Callback, name: str | None = None, *, condition: str = "finished"
    ) -> None:
        super().__init__(reference, interval, callback, name)
        if condition not in ("started", "finished"):
            raise ValueError(f"condition of a TaskDeadline is 'started' or 'finished', not {condition!r}")
        self.condition = condition

    @classmethod
    def not_started_by(
        cls, reference: Any, callback: Callback, interval: Any = timedelta(0), name: str | None = None
    ) -> TaskDeadline:
        """Call ``callback`` where the task has not begun ``interval`` after ``reference``."""
        return cls(reference, interval, callback, name, condition="started")

    @classmethod
    def not_finished_by(
        cls, reference: Any, callback: Callback, interval: Any = timedelta(0), name: str | None = None
    ) -> TaskDeadline:
        """Call ``callback`` where the task is not over ``interval`` after ``reference``."""
        return cls(reference, interval, callback, name)

    @classmethod
    def running_longer_than(cls, interval: Any, callback: Callback, name: str | None = None) -> TaskDeadline:
        """Call ``callback`` where an attempt runs longer: a ``timedelta``, a ``VariableInterval`` or a ``HistoryInterval``."""
        return cls(DeadlineReference.TASK_STARTED_AT, interval, callback, name)


def _callback(callback: Callback) -> dict[str, Any]:
    """Return a callback as JSON; arguments that are no JSON are encoded as XComs are."""
    from orchestrator.sdk.serialization.values import encode

    found = callback.serialize()
    kind = next(
        base.__name__ for base in type(callback).__mro__ if base.__name__ in ("AsyncCallback", "SyncCallback", "Callback")
    )
    try:
        if json.loads(json.dumps(found["kwargs"])) == found["kwargs"]:
            return {**found, "type": kind}
    except (TypeError, ValueError):
        pass
    return {**found, "type": kind, "kwargs": encode(found["kwargs"]), "encoded": True}
