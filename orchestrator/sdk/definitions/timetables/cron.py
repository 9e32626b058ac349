"""Decides when a cron expression fires in a time zone, with Airflow's rule for clock changes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo
from functools import cached_property
from typing import Any

from orchestrator.sdk.definitions.timetables.base import AirflowTimetableInvalid, Timetable
from orchestrator.sdk.definitions.timetables.dst import utc_to_wall, wall_to_utc
from orchestrator.sdk.definitions.timetables.dst_policy import DstPolicy, first_after, last_before, policy_of
from orchestrator.sdk.definitions.timetables.instants import as_utc, zone_of
from orchestrator.sdk.definitions.timetables.presets import CRON_PRESETS


def also_expression(init: Callable[..., None]) -> Callable[..., None]:
    """Let ``expression=``, its name in ``airflow.sdk``, stand for ``cron``, its name in ``airflow.timetables``."""

    @functools.wraps(init)
    def taking(self: Any, *args: Any, **kwargs: Any) -> None:
        if "expression" in kwargs and "cron" not in kwargs:
            kwargs["cron"] = kwargs.pop("expression")
        init(self, *args, **kwargs)

    return taking


class CronSchedule(Timetable):
    """The steps of a cron expression; croniter only ever sees naive wall times.

    :param cron: a cron expression of five to seven columns, or a preset such as ``@daily``.
    :param timezone: name or tzinfo in which the expression is read.
    :param dst_gap: ``shift`` or ``skip``, for times that a day does not have; None is Airflow's rule.
    :param dst_overlap: ``first``, ``last`` or ``both``, for times that a day has twice; None is Airflow's rule.
    """

    @also_expression
    def __init__(self, cron: str, timezone: str | tzinfo, *, dst_gap: str | None = None, dst_overlap: str | None = None) -> None:
        self.expression = CRON_PRESETS.get(cron, cron)
        self.timezone = zone_of(timezone)
        self.dst_gap, self.dst_overlap = dst_gap, dst_overlap
        policy_of(dst_gap, dst_overlap, "last")  # a wrong word is an error where it is written

    def _dst_words(self) -> dict[str, str]:
        """Return the author's choice about clock changes, for the serialized form; empty where there is none."""
        return {name: word for name in ("dst_gap", "dst_overlap") if (word := getattr(self, name)) is not None}

    @cached_property
    def _dst(self) -> DstPolicy | None:
        return policy_of(self.dst_gap, self.dst_overlap, "both" if self._covers_every_hour else "last")

    def _later(self, wall: datetime) -> Iterator[datetime]:
        while True:
            wall = self._steps.get_next(datetime, start_time=wall)
            yield wall

    def _earlier(self, wall: datetime) -> Iterator[datetime]:
        while True:
            wall = self._steps.get_prev(datetime, start_time=wall)
            yield wall

    @property
    def summary(self) -> str:
        """The cron expression."""
        return self.expression

    @cached_property
    def description(self) -> str:  # type: ignore[override]
        """The expression in English; empty where there is no text for it."""
        from orchestrator.sdk.definitions.timetables.cron_text import describe

        return describe(self.expression)

    def validate(self) -> None:
        """Raise ``AirflowTimetableInvalid`` with croniter's reason if the expression is not one."""
        from croniter.croniter import CroniterBadCronError, CroniterBadDateError, croniter

        try:
            croniter(self.expression)
        except (CroniterBadCronError, CroniterBadDateError) as error:
            raise AirflowTimetableInvalid(str(error)) from error

    @cached_property
    def _steps(self) -> Any:
        from croniter.croniter import croniter

        return croniter(self.expression)

    @property
    def _covers_every_hour(self) -> bool:
        return bool(self._steps.expanded[1] == ["*"])

    def _get_next(self, current: datetime) -> datetime:
        """Return the first firing after an instant."""
        current = as_utc(current)
        if self._dst is not None:
            return first_after(current, self.timezone, self._dst, self._later)
        wall = utc_to_wall(current, self.timezone)
        fires: datetime = self._steps.get_next(datetime, start_time=wall)
        if self._covers_every_hour:  # the elapsed time keeps both passes of a repeated hour
            return current + (fires - wall)
        return wall_to_utc(fires, self.timezone)

    def _get_prev(self, current: datetime) -> datetime:
        """Return the last firing before an instant."""
        current = as_utc(current)
        if self._dst is not None:
            return last_before(current, self.timezone, self._dst, self._earlier)
        wall = utc_to_wall(current, self.timezone)
        fires: datetime = self._steps.get_prev(datetime, start_time=wall)
        if self._covers_every_hour:
            return current - (wall - fires)
        return wall_to_utc(fires, self.timezone)

    def _align_to_next(self, current: datetime) -> datetime:
        """Return the first firing at or after an instant."""
        following = self._get_next(current)
        return following if self._get_prev(following) != current else as_utc(current)

    def _align_to_prev(self, current: datetime) -> datetime:
        """Return the last firing at or before an instant."""
        preceding = self._get_prev(current)
        return preceding if self._get_next(preceding) != current else as_utc(current)
