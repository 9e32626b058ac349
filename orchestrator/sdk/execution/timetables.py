"""Decides what is asked of a timetable of a plugin, and how it is answered: ``facts``, the ``next`` or a ``manual`` run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from orchestrator.sdk.definitions.timetables.base import DagRunInfo, DataInterval, TimeRestriction
from orchestrator.sdk.definitions.timetables.codec import decode_timetable
from orchestrator.sdk.definitions.timetables.instants import as_utc

FACTS = ("summary", "description", "periodic", "can_be_scheduled", "active_runs_limit", "partitioned")


def answer(request: Mapping[str, Any]) -> Any:
    """Return the answer as JSON types; raises what the timetable raises."""
    timetable = decode_timetable(request["timetable"])
    if request["ask"] == "facts":
        return {name: getattr(timetable, name, None) for name in FACTS}
    if request["ask"] == "manual":
        return _interval_out(timetable.infer_manual_data_interval(run_after=_pendulum(request["run_after"])))
    earliest, latest, catchup = request["restriction"]
    bounds = TimeRestriction(_pendulum(earliest), _pendulum(latest), catchup)
    last = request["last"]
    info = DagRunInfo(_pendulum(last["run_after"]), _interval_in(last["interval"])) if last else None
    return info_out(timetable.next_dagrun_info_v2(last_dagrun_info=info, restriction=bounds))


def info_out(info: DagRunInfo | None) -> dict[str, Any] | None:
    """Return a run's dates as JSON."""
    if info is None:
        return None
    dates = {"run_after": _text(info.run_after), "interval": _interval_out(info.data_interval)}
    return {**dates, "partition_date": _text(info.partition_date), "partition_key": info.partition_key}


def _interval_out(interval: DataInterval | None) -> list[str | None] | None:
    return None if interval is None else [_text(interval.start), _text(interval.end)]


def _interval_in(texts: list[str] | None) -> DataInterval | None:
    return None if texts is None else DataInterval(_pendulum(texts[0]), _pendulum(texts[1]))


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else as_utc(moment).isoformat()


def _pendulum(text: str | None) -> Any:
    """Return an instant of the class that authors of timetables expect."""
    if text is None:
        return None
    import pendulum

    return pendulum.instance(datetime.fromisoformat(text))
