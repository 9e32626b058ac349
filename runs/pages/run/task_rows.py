"""Decides what the table of a run's tasks shows: a row for each task, mapped ones with counts, what needs a person first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min, Q
from django.db.models.functions import Substr
from django.urls import reverse

from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from orchestrator.templatetags.shown import look_of
from runs.cause_words import cause_words
from runs.fingerprints import first_line
from runs.models import DagRun
from runs.pages.last_failures import SHOWN_DETAIL
from runs.pages.meters import Part, parts_of
from runs.pages.rows import TRY_GOES_ON, span_of
from runs.pages.worst import rank, state_of, worst
from runs.states import UNFINISHED
from runs.states import TaskInstanceState as S

_DECIDED = (S.UPSTREAM_FAILED, S.SKIPPED, S.REMOVED)
BUCKETS: dict[str, frozenset[str | None]] = {
    "failed": frozenset({S.FAILED, S.UPSTREAM_FAILED}),
    "running": frozenset({S.RUNNING, S.RESTARTING}),
    "waiting": frozenset(UNFINISHED - {S.RUNNING, S.RESTARTING}),
    "done": frozenset({S.SUCCESS, S.SKIPPED, S.REMOVED}),
}


@dataclass(slots=True)
class TaskRow:
    """A task of the run with all its instances. ``index``: the only map index, -1 for a task that is not mapped."""

    run: DagRun
    task_id: str
    spec: TaskSpec | None = None
    counts: dict[str | None, int] = field(default_factory=dict)
    index: int = -1
    name: str = ""
    operator: str = ""
    start: datetime | None = None
    end: datetime | None = None
    queued: datetime | None = None
    taken: float | None = None
    tries: int = 0
    max_tries: int = 0
    notes: int = 0
    cause: str = ""
    detail: str = ""
    reason: str = ""
    retry_at: datetime | None = None
    order: int = 0
    failed: Sequence[tuple[str, str]] = ()
    is_group: bool = False

    @property
    def total(self) -> int:
        """How many instances it has."""
        return sum(self.counts.values())

    @property
    def state(self) -> str | None:
        """The worst state among its instances."""
        return state_of(worst(self.counts))

    @property
    def is_mapped(self) -> bool:
        """Whether it has map indexes, or will have them."""
        return self.index >= 0 or bool(self.spec and (self.spec.is_mapped or self.spec.mapped_group_id))

    @property
    def is_expanded(self) -> bool:
        """Whether it has map indexes."""
        return self.index >= 0

    @property
    def is_running(self) -> bool:
        """Whether any of it runs."""
        return bool(BUCKETS["running"] & self.counts.keys())

    @property
    def is_open(self) -> bool:
        """Whether it has begun and goes on: it runs, or waits within its try for a trigger or a person."""
        return self.is_running or (self.state in TRY_GOES_ON and self.start is not None and self.end is None)

    @property
    def group_id(self) -> str:
        """The task group that it is in."""
        return (self.spec.task_group_id if self.spec else None) or ""

    @property
    def label(self) -> str:
        """Its name without that of its group, which stands beside it."""
        prefix = f"{self.group_id}."
        return self.name[len(prefix) :] if self.group_id and self.name.startswith(prefix) else self.name

    @property
    def began(self) -> datetime | None:
        """When it started; what was decided without running has no start."""
        return None if self.state in _DECIDED and not self.taken else self.start

    @property
    def seconds(self) -> float | None:
        """How long it took, or takes until now; of several from the first start until all are over."""
        if self.state in _DECIDED and not self.taken:
            return None
        if not self.is_expanded and self.taken is not None and not self.is_open:
            return self.taken
        return span_of(self.run, self.counts, self.start, self.end)[1]

    @property
    def why(self) -> str:
        """What made it fail, in one line; empty for a task that is tried again and of which nothing more is known."""
        known = bool(self.cause or self.detail)
        return first_line(self.detail) or cause_words(self.cause) if known or self.state != S.UP_FOR_RETRY else ""

    @property
    def key(self) -> str:
        """Names it for live changes."""
        return f"{self.run.pk}:{self.task_id}:-1"

    @property
    def path(self) -> str:
        """The address of the task in the run, below which are its forms."""
        return reverse("log_detail", args=[self.run.dag_id, self.run.run_id, self.task_id])

    @property
    def parts(self) -> list[Part]:
        """What its instances are at, in the order of work done, for a meter."""
        looks = ((look_of(state), self.counts[state]) for state in sorted(self.counts, key=rank, reverse=True))
        return parts_of(((family, word, number) for (_, family, word), number in looks), self.total)

    def is_in(self, bucket: str) -> bool:
        """Whether any of its instances is in a bucket."""
        return bool(BUCKETS[bucket] & self.counts.keys())


def task_rows(run: DagRun, spec: DagSpec | None) -> list[TaskRow]:
    """Return a row for each task, by one query, however many instances there are."""
    known = {task.task_id: (place, task) for place, task in enumerate(spec.tasks)} if spec else {}
    rows: dict[str, TaskRow] = {}
    for found in _grouped(run):
        task_id = found["task_id"]
        if task_id not in rows:
            place, task = known.get(task_id, (len(known), None))
            rows[task_id] = TaskRow(run, task_id, task, order=place)
        _add(rows[task_id], found)
    return sorted(rows.values(), key=_urgency)


def _grouped(run: DagRun) -> Iterable[dict[str, Any]]:
    rows: Any = run.task_instances.values("task_id", "state").order_by()
    return rows.annotate(  # type: ignore[no-any-return]
        number=Count("pk"), index=Max("map_index"), start=Min("start_date"), end=Max("end_date"), queued=Min("queued_dttm"),
        taken=Max("duration"), tries=Max("try_number"), max_tries=Max("max_tries"), notes=Count("note", filter=~Q(note="")),
        name=Max("task_display_name"), operator=Max("operator"), custom=Max("custom_operator_name"), cause=Max("cause"),
        detail=Max(Substr("cause_detail", 1, SHOWN_DETAIL)), reason=Max("wait_reason"), retry_at=Max("retry_at"),
    )  # fmt: skip


def _add(row: TaskRow, found: dict[str, Any]) -> None:
    row.counts[found["state"]] = found["number"]
    row.index = max(row.index, found["index"])
    row.start = min(filter(None, (row.start, found["start"])), default=None)
    row.end = max(filter(None, (row.end, found["end"])), default=None)
    row.queued = min(filter(None, (row.queued, found["queued"])), default=None)
    row.taken = max((value for value in (row.taken, found["taken"]) if value is not None), default=None)
    row.tries, row.max_tries = max(row.tries, found["tries"]), max(row.max_tries, found["max_tries"])
    row.notes += found["notes"]
    row.name = row.name or found["name"] or (row.spec.task_display_name if row.spec else "") or row.task_id
    row.operator = row.operator or found["custom"] or found["operator"] or ""
    if found["state"] in BUCKETS["failed"] or not row.cause:
        row.cause, row.detail = found["cause"] or row.cause, found["detail"] or row.detail
    row.retry_at = found["retry_at"] if found["state"] == S.UP_FOR_RETRY else row.retry_at
    row.reason = found["reason"] or row.reason if found["state"] in UNFINISHED else row.reason


def _urgency(row: TaskRow) -> tuple[int, bool, float, int, str]:
    begun = row.start.timestamp() if row.start else 0.0
    return (rank(row.state), row.start is None, begun, row.order, row.task_id)


def bucket_counts(rows: Iterable[TaskRow]) -> dict[str, int]:
    """Return how many instances are in each bucket."""
    counts = dict.fromkeys(BUCKETS, 0)
    for row in rows:
        for bucket, states in BUCKETS.items():
            counts[bucket] += sum(number for state, number in row.counts.items() if state in states)
    return counts


def index_path(run: DagRun, task_id: str, map_index: int) -> str:
    """Return the address of one task instance."""
    path = reverse("log_detail", args=[run.dag_id, run.run_id, task_id])
    return f"{path}/mapped/{map_index}" if map_index >= 0 else path
