"""Decides which failures a run has: equal ones together, each with the instance that stands for it and what it held up."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Min
from django.db.models.functions import Substr

from orchestrator.sdk.serialization.spec import DagSpec
from runs.fingerprints import LOOKED_AT, fingerprint
from runs.models import DagRun, TaskInstance
from runs.pages.run.task_rows import TaskRow
from runs.states import TaskInstanceState as S

# Looked at one by one; above that the database counts equal texts.
MOST_FAILURES = 300
MOST_TEXTS = 2000
MOST_CARDS = 5
_LIGHT = ("task_id", "map_index", "rendered_map_index", "cause", "exit_code", "signal")


@dataclass(slots=True)
class Failure:
    """Equal failures of a run.

    Attributes:
        members: (task id, map index, rendered map index) of those looked at.
        lead: the instance that stands for them, the first that failed so; ``failure_facts`` gives it, with what follows.
        version: of the DAG that it had.
        file: of the DAG, relative to its bundle.
        source: of the file in that version.
    """

    fingerprint: str
    count: int = 0
    members: list[tuple[str, int, str]] = field(default_factory=list)
    lead: TaskInstance | None = None
    version: int | None = None
    file: str | None = None
    source: str | None = None

    @property
    def task_ids(self) -> list[str]:
        """The tasks that failed so, each once."""
        return list(dict.fromkeys(task_id for task_id, _, _ in self.members))


def failures_of(run: DagRun, failed: int) -> list[Failure]:
    """Return the failures of a run, those of most instances first; one query, none where nothing failed."""
    if not failed:
        return []
    found: dict[str, Failure] = {}
    for row in _rows(run, is_counted=failed > MOST_FAILURES):
        key = fingerprint(row["cause"], row["text"], row["task_id"])
        failure = found.setdefault(key, Failure(key))
        failure.count += row.get("number", 1)
        failure.members.append((row["task_id"], row["map_index"], row.get("rendered_map_index") or ""))
    return sorted(found.values(), key=lambda failure: -failure.count)


def _rows(run: DagRun, *, is_counted: bool) -> Iterable[dict[str, Any]]:
    rows: Any = run.task_instances.filter(state=S.FAILED).annotate(text=Substr("cause_detail", 1, LOOKED_AT))
    if not is_counted:
        return rows.order_by("end_date", "task_id", "map_index").values(*_LIGHT, "text")[:MOST_FAILURES]  # type: ignore[no-any-return]
    grouped = rows.order_by().values("task_id", "cause", "text").annotate(number=Count("pk"), first=Min("map_index"))
    return [row | {"map_index": row["first"]} for row in grouped.order_by("-number")[:MOST_TEXTS]]


def kept_from_running(failure: Failure, spec: DagSpec | None, rows: Mapping[str, TaskRow]) -> int:
    """Return how many instances are upstream_failed below a failure."""
    if spec is None:
        return 0
    below, left = set(failure.task_ids), deque(failure.task_ids)
    tasks = {task.task_id: task for task in spec.tasks}
    number = 0
    while left:
        task = tasks.get(left.popleft())
        for task_id in task.downstream_task_ids if task else ():
            stopped = rows[task_id].counts.get(S.UPSTREAM_FAILED, 0) if task_id in rows else 0
            if task_id in below or not stopped:
                continue
            below.add(task_id)
            left.append(task_id)
            number += stopped
    return number
