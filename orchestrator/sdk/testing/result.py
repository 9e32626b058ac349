"""Decides what a run in memory gives back, and how it is shown: states, tries, XComs, logs, in one object and one table."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestrator.sdk.testing.store import Store, TaskResult


@dataclass
class RunResult:
    """One finished run. It has the names of Airflow's run (``state``, ``run_id``, ``conf``, ``get_task_instances``)."""

    dag_id: str
    run_id: str
    state: str
    run: dict[str, Any]
    store: Store
    start_date: datetime
    end_date: datetime

    @property
    def tasks(self) -> list[TaskResult]:
        """All task instances, in the order of the DAG."""
        return self.store.of_run(self.dag_id, self.run_id)

    @property
    def states(self) -> dict[str, str | None]:
        """State by ``task`` or ``task[index]``."""
        return {item.label: item.state for item in self.tasks}

    @property
    def tries(self) -> dict[str, int]:
        """Number of the last try by ``task`` or ``task[index]``; 0 for one that never ran."""
        return {item.label: item.try_number for item in self.tasks}

    @property
    def results(self) -> dict[str, Any]:
        """What tasks returned, by ``task`` or ``task[index]``; those that returned nothing are left out."""
        return {item.label: item.result for item in self.tasks if "return_value" in item.xcoms}

    @property
    def ok(self) -> bool:
        """Whether the run succeeded."""
        return self.state == "success"

    @property
    def conf(self) -> Mapping[str, Any]:
        """The configuration that the run was given."""
        return self.run.get("conf") or {}

    @property
    def logical_date(self) -> datetime | None:
        """The logical date, None for a run without."""
        return _instant(self.run["logical_date"])

    @property
    def run_after(self) -> datetime | None:
        """The instant after which the run may start."""
        return _instant(self.run["run_after"])

    @property
    def duration(self) -> float:
        """Seconds of the run, leaps of the clock included."""
        return (self.end_date - self.start_date).total_seconds()

    @property
    def asset_events(self) -> list[dict[str, Any]]:
        """The asset events that tasks of this run made."""
        return [event for event in self.store.asset_events if event["source_run_id"] == self.run_id]

    @property
    def triggered(self) -> list[dict[str, Any]]:
        """The runs of other DAGs that tasks asked for; they are noted, not run."""
        return self.store.triggered

    def task(self, task_id: str, map_index: int = -1) -> TaskResult:
        """Return one task instance; raises ``KeyError`` that names those there are."""
        found = self.store.instances.get((self.dag_id, self.run_id, task_id, map_index))
        if found is None:
            there = ", ".join(self.states)
            raise KeyError(f"Run {self.run_id!r} has no task instance {task_id!r} with map index {map_index}; it has {there}.")
        return found

    def get_task_instance(self, task_id: str, map_index: int = -1) -> TaskResult | None:
        """Return one task instance, None if there is none."""
        return self.store.instances.get((self.dag_id, self.run_id, task_id, map_index))

    def get_task_instances(self, state: Any = None) -> list[TaskResult]:
        """Return all task instances, or those in a state or in one of several."""
        wanted = state if state is None or isinstance(state, list | tuple | set | frozenset) else [state]
        return [item for item in self.tasks if wanted is None or item.state in wanted]

    def failures(self) -> str:
        """Return the tracebacks of the failed tasks, from the author's first line on."""
        failed = [item for item in self.tasks if item.state == "failed"]
        parts = [f"{item.label} failed at try {item.try_number}:\n{author_traceback(item.exception)}" for item in failed]
        return "\n".join(parts)

    def table(self) -> str:
        """Return a short table: task, state, tries, seconds, result."""
        from orchestrator.sdk.testing.table import as_table

        rows = [
            {
                "task": item.label,
                "state": item.state or "none",
                "tries": item.try_number,
                "seconds": "" if item.duration is None else f"{item.duration:.2f}",
                "result": _short(item.result),
            }
            for item in self.tasks
        ]
        return f"{as_table(rows)}\n\nRun {self.run_id} of {self.dag_id}: {self.state} in {self.duration:.2f} s"


def author_traceback(error: BaseException | None) -> str:
    """Return the traceback without the frames of this package above the author's code."""
    if error is None:
        return "(the task gave no exception)\n"
    kept = error.__traceback__
    while kept is not None and _is_ours(kept.tb_frame.f_code.co_filename):
        kept = kept.tb_next
    return "".join(traceback.format_exception(type(error), error, kept or error.__traceback__))


def author_frames(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the frames of a log record's traceback from the author's first one on; all where none is the author's."""
    first = next((number for number, frame in enumerate(frames) if not _is_ours(frame["filename"])), 0)
    return frames[first:]


def _is_ours(filename: str) -> bool:
    from pathlib import Path

    return filename.startswith(str(Path(__file__).resolve().parents[1]))


def _short(value: Any) -> str:
    text = "" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
