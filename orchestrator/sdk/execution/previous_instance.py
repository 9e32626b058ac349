"""Decides what ``ti.get_previous_ti()`` gives: one task instance of an earlier run, by Airflow's names."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from orchestrator.sdk.execution.startup import instant

_INSTANTS = ("logical_date", "start_date", "end_date")


@dataclass(frozen=True, slots=True)
class PreviousTIResponse:
    """A task instance of an earlier run. ``duration`` is in seconds; ``logical_date`` is None for a run without one."""

    task_id: str
    dag_id: str
    run_id: str
    try_number: int
    logical_date: datetime | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    state: str | None = None
    map_index: int | None = -1
    duration: float | None = None

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> PreviousTIResponse:
        """Read the answer of the Execution API; raises ``TypeError`` where an id or the try number is missing."""
        values = {field.name: document[field.name] for field in fields(cls) if field.name in document}
        return cls(**values | {name: instant(values.get(name)) for name in _INSTANTS})
