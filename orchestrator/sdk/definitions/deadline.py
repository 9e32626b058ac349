"""Decides from which moment, and how long after it, a run is late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from orchestrator.sdk.definitions.callback import Callback


class BaseDeadlineReference:
    """Base of the moments that an interval is added to."""

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


class DagRunLogicalDateDeadline(BaseDeadlineReference):
    """The logical date of the run."""


class DagRunQueuedAtDeadline(BaseDeadlineReference):
    """When the run was queued."""


@dataclass
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


@dataclass
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


class DeadlineReference:
    """The references by name."""

    DAGRUN_LOGICAL_DATE = DagRunLogicalDateDeadline()
    DAGRUN_QUEUED_AT = DagRunQueuedAtDeadline()

    @classmethod
    def AVERAGE_RUNTIME(cls, max_runs: int = 0, min_runs: int | None = None) -> AverageRuntimeDeadline:
        """Return the reference to the average of the last runs."""
        return AverageRuntimeDeadline(max_runs or AverageRuntimeDeadline.DEFAULT_LIMIT, min_runs)

    @classmethod
    def FIXED_DATETIME(cls, moment: datetime) -> FixedDatetimeDeadline:
        """Return the reference to one moment."""
        return FixedDatetimeDeadline(moment)

    @classmethod
    def register_custom_reference(cls, reference_class: Any, deadline_reference_type: Any = None) -> Any:
        """Make an author's own reference known under its class name."""
        if not issubclass(reference_class, BaseDeadlineReference):
            raise ValueError(f"{reference_class.__name__} must inherit from BaseDeadlineReference")
        setattr(cls, reference_class.__name__, reference_class())
        return reference_class


def deadline_reference(deadline_reference_type: Any = None) -> Any:
    """Return the class decorator that registers an author's own reference."""
    if isinstance(deadline_reference_type, type) and issubclass(deadline_reference_type, BaseDeadlineReference):
        return DeadlineReference.register_custom_reference(deadline_reference_type)

    def decorate(reference_class: Any) -> Any:
        return DeadlineReference.register_custom_reference(reference_class, deadline_reference_type)

    return decorate


@dataclass
class VariableInterval:
    """An interval that a Variable holds, in seconds."""

    key: str

    def resolve(self) -> timedelta:
        """Return the interval; raises ``ValueError`` if the Variable is no number."""
        from orchestrator.sdk.definitions.variable import Variable

        return timedelta(seconds=float(Variable.get(self.key)))


class DeadlineAlert:
    """Calls ``callback`` when a run is not over ``interval`` after ``reference``."""

    def __init__(self, reference: Any, interval: Any, callback: Callback, name: str | None = None) -> None:
        if not isinstance(callback, Callback):
            raise ValueError(f"DeadlineAlert takes an AsyncCallback or SyncCallback, not {type(callback).__name__}")
        self.reference, self.interval, self.callback, self.name = reference, interval, callback, name

    def serialize(self) -> dict[str, Any]:
        """Return all parts; the interval in seconds or as the key of a Variable."""
        interval = (
            {"variable": self.interval.key} if isinstance(self.interval, VariableInterval) else self.interval.total_seconds()
        )
        return {
            "reference": self.reference.serialize_reference(),
            "interval": interval,
            "callback": self.callback.serialize(),
            "name": self.name,
        }
