"""Decides how the server asks the timetables of plugins: in a child without database and keys (ADR 0011)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from dags_app.plugin_child import CHILD
from orchestrator.sdk.definitions.timetables import (
    AirflowTimetableInvalid,
    DagRunInfo,
    DataInterval,
    TimeRestriction,
    Timetable,
)


class CustomTimetable(Timetable):
    """Stands for a timetable of a plugin where its class may not be loaded."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._facts: dict[str, Any] | None = None

    def __getattribute__(self, name: str) -> Any:
        if name in ("periodic", "can_be_scheduled", "active_runs_limit", "description", "partitioned"):
            return self._fact(name)
        return super().__getattribute__(name)

    def _fact(self, name: str) -> Any:
        if self._facts is None:
            self._facts = CHILD.ask({"timetable": self.document, "ask": "facts"})
        return self._facts[name]

    @property
    def summary(self) -> str:
        """What the author's class says."""
        return str(self._fact("summary"))

    def serialize(self) -> dict[str, Any]:
        """The facts as they are stored."""
        return {name: value for name, value in self.document.items() if name != "type"}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Self:
        """Build it from the whole document."""
        return cls(data)

    def infer_manual_data_interval(self, *, run_after: datetime) -> DataInterval:
        """Ask. Raises ``PluginCodeError``."""
        found = CHILD.ask({"timetable": self.document, "ask": "manual", "run_after": run_after.isoformat()})
        return DataInterval(datetime.fromisoformat(found[0]), datetime.fromisoformat(found[1]))

    def next_dagrun_info_v2(self, *, last_dagrun_info: DagRunInfo | None, restriction: TimeRestriction) -> DagRunInfo | None:
        """Ask; an answer of a moment ago is remembered, see ``foresee``. Raises ``PluginCodeError``."""
        return _info_in(CHILD.ask(_question(self.document, last_dagrun_info, restriction)))

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The older form of ``next_dagrun_info_v2``."""
        last = last_automated_data_interval
        info = DagRunInfo(last.end, last) if last is not None else None
        return self.next_dagrun_info_v2(last_dagrun_info=info, restriction=restriction)


def is_custom(timetable_type: str) -> bool:
    """Return whether a stored type is a plugin's: those have an import path."""
    return "." in timetable_type


def foresee(document: dict[str, Any], last: DataInterval | None, restriction: TimeRestriction) -> None:
    """Ask now what comes after ``last``, so that a transaction that wants it next does not wait for another process."""
    if is_custom(str(document.get("type", ""))):
        info = DagRunInfo(last.end, last) if last is not None else None
        CHILD.ask({"timetable": document, "ask": "facts"})
        CHILD.ask(_question(document, info, restriction))


def custom_timetable(document: dict[str, Any]) -> Timetable:
    """Return the stand-in for a document whose class is not the server's. Raises ``AirflowTimetableInvalid`` for no class."""
    name = str(document.get("type", ""))
    if not is_custom(name):
        raise AirflowTimetableInvalid(
            f"timetable class {name!r} is not registered; make it known through a plugin's `timetables`"
        )
    return CustomTimetable(document)


def _question(document: dict[str, Any], last: DagRunInfo | None, bounds: TimeRestriction) -> dict[str, Any]:
    interval = last.data_interval if last else None
    before = {
        "run_after": last.run_after.isoformat(),
        "interval": [interval.start.isoformat(), interval.end.isoformat()] if interval else None,
    } if last else None  # fmt: skip
    limits = [moment.isoformat() if moment else None for moment in (bounds.earliest, bounds.latest)]
    return {"timetable": document, "ask": "next", "last": before, "restriction": [*limits, bounds.catchup]}


def _info_in(found: dict[str, Any] | None) -> DagRunInfo | None:
    if found is None:
        return None
    read = datetime.fromisoformat
    interval = DataInterval(read(found["interval"][0]), read(found["interval"][1])) if found["interval"] else None
    date = read(found["partition_date"]) if found["partition_date"] else None
    return DagRunInfo(read(found["run_after"]), interval, date, found["partition_key"])
