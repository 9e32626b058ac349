"""Decides which run is made in memory: its dates, its id, its configuration, and how it waits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from orchestrator.sdk.definitions.sentinels import NOTSET
from runs.run_ids import run_id_of

Json = dict[str, Any]


@dataclass
class RunOrder:
    """What is asked for.

    Args:
        run_after: the instant after which the run may start; now if it is not given.
        logical_date: aware or naive (default zone); None for a run without; not given: ``run_after``.
        run_conf: configuration of the run, which overrides params.
        mark_success_pattern: regular expression of task ids that succeed without running.
        run_type: ``manual``, ``scheduled``, ``backfill``, ``asset_triggered``, ...
        user_name: who started the run, as tasks see it.
        run_id: made from type and date if it is not given.
        data_interval: start and end; the timetable's if it is not given.
        consumed_asset_events: the events that started the run.
        travels: whether sensors that look at the outside world leap over their waits too.
        trigger_seconds: real seconds for which triggers are waited for while nothing else can go on; None: no limit.
        only: task ids to run; the others count as done. None runs all.
    """

    run_after: datetime | None = None
    logical_date: Any = NOTSET
    run_conf: Json | None = None
    mark_success_pattern: re.Pattern[str] | str | None = None
    run_type: str = "manual"
    user_name: str | None = "dag_test"
    run_id: str | None = None
    data_interval: tuple[datetime, datetime] | None = None
    consumed_asset_events: Sequence[Json] = field(default_factory=list)
    travels: bool = True
    trigger_seconds: float | None = 30.0
    only: frozenset[str] | None = None

    def marks(self, task_id: str) -> bool:
        """Return whether the task succeeds without running."""
        pattern = self.mark_success_pattern
        return pattern is not None and re.match(pattern, task_id) is not None

    def document(self, dag: Any, now: datetime) -> Json:
        """Return the run as the Execution API shows it to tasks; raises ``ValueError`` for a date that is none."""
        from orchestrator.sdk import timezone

        after = timezone.convert_to_utc(timezone.as_datetime(self.run_after, "run_after")) or now
        given = after if self.logical_date is NOTSET else timezone.as_datetime(self.logical_date, "logical_date")
        date = timezone.convert_to_utc(given)
        start, end = self._interval(dag, date)
        run_id = self.run_id or run_id_of(self.run_type, run_after=after, unique=date is None)
        dates = {"logical_date": date, "data_interval_start": start, "data_interval_end": end, "run_after": after}
        nothing = dict.fromkeys(("end_date", "partition_key", "partition_date", "note", "team_name"))
        return {
            **nothing,
            "dag_id": dag.dag_id,
            "run_id": run_id,
            **{name: _wire(value) for name, value in dates.items()},
            "start_date": _wire(now),
            "clear_number": 0,
            "run_type": self.run_type,
            "state": "running",
            "conf": dict(self.run_conf or {}),
            "triggering_user_name": self.user_name,
            "consumed_asset_events": list(self.consumed_asset_events),
        }

    def _interval(self, dag: Any, date: datetime | None) -> tuple[datetime | None, datetime | None]:
        if self.data_interval is not None:
            return self.data_interval
        if date is None:
            return None, None
        interval = dag.timetable.infer_manual_data_interval(run_after=date.astimezone(UTC))
        return interval.start, interval.end


def _wire(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if value is not None else None
