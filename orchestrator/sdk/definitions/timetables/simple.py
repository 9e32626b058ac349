"""Decides the runs of schedules without a clock: never, once, without pause, on partitions or assets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from orchestrator.sdk.definitions.timetables.base import DagRunInfo, DataInterval, Json, TimeRestriction, Timetable
from orchestrator.sdk.definitions.timetables.instants import as_utc, utcnow


class TrivialTimetable(Timetable):
    """What the timetables without a period share."""

    periodic = False
    run_ordering: Sequence[str] = ("logical_date",)

    def infer_manual_data_interval(self, *, run_after: datetime) -> DataInterval:
        """An interval of length zero."""
        return DataInterval.exact(as_utc(run_after))

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Never."""
        return None


class NullTimetable(TrivialTimetable):
    """``schedule=None``: runs only when somebody triggers them."""

    description = "Never, external triggers only"
    can_be_scheduled = False

    @property
    def summary(self) -> str:
        """The word "None"."""
        return "None"


class OnceTimetable(TrivialTimetable):
    """``schedule="@once"``: one run, at the start date or now."""

    description = "Once, as soon as possible"

    @property
    def summary(self) -> str:
        """The preset's name."""
        return "@once"

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """One run if there was none, whatever ``catchup`` says."""
        if last_automated_data_interval is not None:
            return None
        run_after = as_utc(restriction.earliest or utcnow())
        return None if restriction.latest is not None and run_after > restriction.latest else DagRunInfo.exact(run_after)


class ContinuousTimetable(TrivialTimetable):
    """``schedule="@continuous"``: the next run starts when the last one has ended."""

    description = "As frequently as possible, but only one run at a time."
    active_runs_limit = 1

    @property
    def summary(self) -> str:
        """The preset's name."""
        return "@continuous"

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The interval from the end of the last run to now."""
        start, end = self._interval(last_automated_data_interval, restriction.earliest, utcnow())
        return None if restriction.latest is not None and end > restriction.latest else DagRunInfo.interval(start, end)

    @staticmethod
    def _interval(last: DataInterval | None, earliest: datetime | None, now: datetime) -> DataInterval:
        begin = as_utc(earliest or now)
        if last is None:
            return DataInterval(begin, max(begin, now))
        if last.end > now:  # the start date lies in the future
            return DataInterval(begin, begin + (last.end - last.start))
        return DataInterval(as_utc(last.end), now)


class PartitionedAtRuntime(NullTimetable):
    """Runs only when triggered; the run's partition key comes with the trigger."""

    description = "Never, partition key(s) set at runtime"
    partitioned_at_runtime = True

    @property
    def summary(self) -> str:
        """The class's name."""
        return "PartitionedAtRuntime"


class AssetTriggeredTimetable(TrivialTimetable):
    """Runs when assets are updated; never by the clock.

    :param asset_condition: the serialized condition, opaque here.
    """

    description = "Triggered by assets"

    def __init__(self, asset_condition: Json = None) -> None:
        self.asset_condition = asset_condition

    @property
    def summary(self) -> str:
        """The word "Asset"."""
        return "Asset"

    def serialize(self) -> dict[str, Json]:
        """The condition."""
        return {"asset_condition": self.asset_condition}

    @classmethod
    def deserialize(cls, data: dict[str, Json]) -> Self:
        """Read the condition."""
        return cls(data.get("asset_condition"))
