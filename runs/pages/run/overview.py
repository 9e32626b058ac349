"""Decides what the overview of a run holds, and what its address chooses of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import QueryDict

from dags_app.selectors import SpecUnreadableError, spec_of_loaded
from orchestrator.sdk.serialization.spec import DagSpec
from runs.cause_words import cause_words
from runs.models import DagRun
from runs.pages.last_failures import last_failures
from runs.pages.run.cause_cards import CauseCard, cause_cards
from runs.pages.run.failures import Failure
from runs.pages.run.head import RunHead
from runs.pages.run.task_rows import BUCKETS, TaskRow, bucket_counts, index_path, task_rows
from runs.pages.run.waiting import WaitCard, wait_cards
from runs.states import TaskInstanceState as S

ROWS_PER_PAGE = 100
SHOWN_INDEXES = 6
VIEWS = ("table", "gantt")


@dataclass(frozen=True, slots=True)
class Choice:
    """What the address chooses: a bucket of states, a text in task ids, a task group, a view, the first row."""

    bucket: str
    search: str
    group: str
    view: str
    offset: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The overview. ``rows`` are those of the page, ``found`` all that pass the filters, ``all_rows`` all."""

    head: RunHead
    choice: Choice
    spec: DagSpec | None
    cards: Sequence[CauseCard]
    more_failures: int
    waits: Sequence[WaitCard]
    counts: dict[str, int]
    total: int
    all_rows: Sequence[TaskRow]
    found: Sequence[TaskRow]
    rows: Sequence[TaskRow]
    ended: str

    @property
    def next_offset(self) -> int:
        """Where the next page begins, 0 where this is the last."""
        after = self.choice.offset + ROWS_PER_PAGE
        return after if after < len(self.found) else 0

    @property
    def first(self) -> int:
        """The number of the first row of the page."""
        return self.choice.offset + 1

    @property
    def last(self) -> int:
        """The number of the last row of the page."""
        return self.choice.offset + len(self.rows)

    @property
    def held(self) -> frozenset[str]:
        """The tasks that are held as a whole."""
        return frozenset(hold.task_id for hold in self.head.holds if hold.map_index < 0)

    @property
    def previous_offset(self) -> int | None:
        """Where the page before begins."""
        return max(0, self.choice.offset - ROWS_PER_PAGE) if self.choice.offset else None


def read_choice(query: QueryDict) -> Choice:
    """Return what the address chooses; what it does not know counts as not given."""
    bucket, view, offset = query.get("state", ""), query.get("view", ""), query.get("offset", "")
    return Choice(
        bucket if bucket in BUCKETS else "",
        query.get("q", "").strip(),
        query.get("group", "").strip(),
        view if view in VIEWS else VIEWS[0],
        int(offset) if offset.isdecimal() and len(offset) < 9 else 0,
    )


def overview_of(head: RunHead, query: QueryDict) -> Overview:
    """Return the overview of a run; the number of queries does not grow with its tasks."""
    run, choice = head.run, read_choice(query)
    spec = spec_or_none(head)
    rows = task_rows(run, spec)
    counts = bucket_counts(rows)
    failed = sum(row.counts.get(S.FAILED, 0) for row in rows)
    cards, failures = cause_cards(head, rows, spec, failed)
    _name_failed_indexes(run, rows, failures)
    found = [row for row in rows if passes(row, choice)]
    shown = found[choice.offset : choice.offset + ROWS_PER_PAGE]
    _tell_last_failures(run, shown)
    return Overview(
        head=head,
        choice=choice,
        spec=spec,
        cards=cards,
        more_failures=failed - sum(card.count for card in cards),
        waits=wait_cards(run),
        counts=counts,
        total=sum(counts.values()),
        all_rows=rows,
        found=found,
        rows=shown,
        ended=how_it_ended(head, counts),
    )


def spec_or_none(head: RunHead) -> DagSpec | None:
    """Return the DAG of a run; None where its version is gone or unreadable."""
    try:
        return spec_of_loaded(head.deciding) if head.deciding is not None else None
    except SpecUnreadableError:
        return None


def passes(row: TaskRow, choice: Choice) -> bool:
    """Whether a row passes the filters."""
    if choice.bucket and not row.is_in(choice.bucket):
        return False
    if choice.group and not f"{row.group_id}.".startswith(f"{choice.group}."):
        return False
    text = choice.search.casefold()
    return text in row.task_id.casefold() or text in row.name.casefold()


def _name_failed_indexes(run: DagRun, rows: Sequence[TaskRow], failures: Sequence[Failure]) -> None:
    """Give mapped rows links to the first indexes that failed."""
    by_task: dict[str, list[tuple[str, str]]] = {}
    for failure in failures:
        for task_id, index, rendered in failure.members:
            if index >= 0 and len(some := by_task.setdefault(task_id, [])) < SHOWN_INDEXES:
                some.append((rendered or str(index), f"{index_path(run, task_id, index)}#error"))
    for row in rows:
        row.failed = by_task.get(row.task_id, ())


def _tell_last_failures(run: DagRun, rows: Sequence[TaskRow]) -> None:
    """Give tasks that wait for their next try the cause of the last one."""
    waiting = {(row.task_id, -1): row for row in rows if row.state == S.UP_FOR_RETRY and not row.is_expanded}
    for place, said in last_failures(run.pk, {place: row.tries for place, row in waiting.items()}).items():
        waiting[place].cause, waiting[place].detail = said


def how_it_ended(head: RunHead, counts: dict[str, int]) -> str:
    """Return why a run failed of which no task did."""
    run = head.run
    if not head.is_failed or counts["failed"]:
        return ""
    if run.stopped_by:
        return f"{run.stopped_by} stopped the run. It stays failed until somebody clears or queues it."
    change = run.state_changes.filter(task_id="", to_state="failed").order_by("-id").values("cause", "actor").first()
    if change and change["cause"]:
        return f"{cause_words(change['cause'])}, so the run ended as failed."
    if change and change["actor"] and not change["actor"].startswith("scheduler"):
        return f"{change['actor']} marked the run as failed."
    return "The run failed although none of its tasks did: the states of its tasks allowed nothing more to run."
