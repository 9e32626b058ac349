"""Decides where the bars of a run's tasks stand on its time axis: waits, tries one after another, the critical path."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.serialization.spec import DagSpec
from orchestrator.templatetags.shown import look_of, seconds, zone_of, zoned
from runs.models import DagRun, TaskInstanceHistory
from runs.pages.run.task_rows import TaskRow
from runs.states import DAG_RUN_FINISHED
from runs.states import TaskInstanceState as S

# Earlier tries read for one chart.
MOST_TRIES = 2000
MOST_BARS = 500
NARROWEST = 0.15  # per cent
STEPS = (
    *(0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400),
    *(2 * 86400, 7 * 86400, 30 * 86400, 90 * 86400, 365 * 86400),
)
TICKS = 7
# What has begun and has no end goes on in these.
_OPEN = (S.RUNNING, S.RESTARTING, S.DEFERRED, S.AWAITING_INPUT, S.UP_FOR_RESCHEDULE)


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a bar, in per cent of the axis. ``family``: its colours; ``is_wait``: it waited for a slot or a worker."""

    at: float
    width: float
    family: str
    text: str
    is_wait: bool = False
    is_running: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """The bar of a task."""

    row: TaskRow
    segments: Sequence[Segment]
    is_critical: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """The chart. ``earlier_tries``: there are tries from before the run was cleared, which it leaves out."""

    start: datetime
    end: datetime
    zone: str
    ticks: Sequence[Tick]
    bars: Mapping[str, Bar]
    is_open: bool
    earlier_tries: bool
    are_closed: bool

    @property
    def start_ms(self) -> int:
        """Where the axis begins, for scripts."""
        return int(1000 * self.start.timestamp())

    @property
    def end_ms(self) -> int:
        """Where it ends."""
        return int(1000 * self.end.timestamp())

    @property
    def has_groups(self) -> bool:
        """Whether tasks that it shows are in groups."""
        return any(bar.row.group_id for bar in self.bars.values())

    @property
    def ordered(self) -> list[Bar]:
        """The bars in the order in which they began; what has not begun comes last, in the order of the DAG."""
        bars = sorted(
            self.bars.values(), key=lambda bar: (not bar.segments, bar.segments[0].at if bar.segments else 0, bar.row.order)
        )
        return bars[:MOST_BARS]

    @property
    def left_out(self) -> int:
        """How many bars are not drawn."""
        return max(0, len(self.bars) - MOST_BARS)


@dataclass(frozen=True, slots=True)
class _Try:
    number: int
    state: str | None
    queued: datetime | None
    start: datetime | None
    end: datetime | None


def timeline_of(
    run: DagRun, rows: Sequence[TaskRow], path: Collection[str], *, all_tries: bool = False, are_closed: bool = False
) -> Timeline | None:
    """Return the chart of some tasks of a run, None before anything has begun; one query.

    Args:
        run: the run.
        rows: what the chart shows.
        path: what of it is on the critical path.
        all_tries: also the tries from before the run was cleared.
        are_closed: whether groups are shown as one row.
    """
    now = utcnow()
    tries: dict[str, list[_Try]] = {row.task_id: [] for row in rows}
    tries |= _earlier(run, rows)
    began = run.start_date
    is_left_out = False
    for row in rows:
        if not all_tries and began is not None:
            kept = [item for item in tries[row.task_id] if (item.end or now) > began]
            is_left_out |= len(kept) < len(tries[row.task_id])
            tries[row.task_id] = kept
        tries[row.task_id].append(_Try(row.tries, row.state, row.queued, row.start, row.end if not row.is_running else None))
    limits = _limits(run, [item for some in tries.values() for item in some], now)
    if limits is None:
        return None
    axis = _Axis(*limits)
    bars = {row.task_id: Bar(row, list(_segments(row, tries[row.task_id], axis, now)), row.task_id in path) for row in rows}
    zone = zone_of(zoned(axis.start))
    return Timeline(axis.start, axis.end, zone, axis.ticks(), bars, run.state not in DAG_RUN_FINISHED, is_left_out, are_closed)


def _earlier(run: DagRun, rows: Sequence[TaskRow]) -> dict[str, list[_Try]]:
    """The archived tries of tasks that are not mapped: of thousands of indexes the bars would say nothing."""
    wanted = [row.task_id for row in rows if not row.is_expanded and row.tries > 1]
    found: dict[str, list[_Try]] = defaultdict(list)
    if not wanted:
        return found
    history = TaskInstanceHistory.objects.filter(dag_run=run, task_id__in=wanted, map_index=-1).order_by("try_number", "id")
    values = ("task_id", "try_number", "state", "queued_dttm", "start_date", "end_date")
    for task_id, *fields in history.values_list(*values)[:MOST_TRIES]:
        found[task_id].append(_Try(*fields))
    return found


def _limits(run: DagRun, tries: Iterable[_Try], now: datetime) -> tuple[datetime, datetime] | None:
    is_open = run.state not in DAG_RUN_FINISHED
    moments = [moment for item in tries for moment in (item.queued, item.start, item.end) if moment]
    moments += [moment for moment in (run.start_date, run.end_date) if moment]
    if not moments:
        return None
    start, end = min(moments), max(moments)
    if is_open:
        # Room for what runs to grow into, until the page asks again.
        end = max(end, now)
        end += (end - start) * 0.05
    return start, max(end, start + timedelta(seconds=0.1))


@dataclass(frozen=True, slots=True)
class _Axis:
    start: datetime
    end: datetime

    def at(self, moment: datetime) -> float:
        share = (moment - self.start) / (self.end - self.start)
        return round(100 * min(1.0, max(0.0, share)), 3)

    def ticks(self) -> list[Tick]:
        length = (self.end - self.start).total_seconds()
        step = next((step for step in STEPS if length / step <= TICKS), STEPS[-1])
        first = zoned(self.start)
        midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
        moment = midnight + timedelta(seconds=step * ((first - midnight).total_seconds() // step + 1))
        found: list[Tick] = []
        while moment <= self.end and len(found) < 2 * TICKS:
            found.append(Tick(self.at(moment), _tick_text(zoned(moment.astimezone(UTC)), step)))
            moment += timedelta(seconds=step)
        return found


def _tick_text(moment: datetime, step: float) -> str:
    if step < 1:
        return f"{moment:%H:%M:%S}.{moment.microsecond // 100_000}"
    if step >= 86400:
        return f"{moment:%b %d}"
    form = "%H:%M:%S" if step < 60 else "%H:%M" if moment.hour or moment.minute else "%b %d"
    return moment.strftime(form)


def _segments(row: TaskRow, tries: Sequence[_Try], axis: _Axis, now: datetime) -> Iterator[Segment]:
    several = len(tries) > 1 or row.tries > 1
    for item in tries:
        began = item.start or (now if item.state in (S.QUEUED, S.SCHEDULED) else None)
        if item.queued and began and began > item.queued and not (row.is_expanded and item.start):
            text = f"waited {seconds((began - item.queued).total_seconds())} for a worker"
            yield _segment(axis, item.queued, began, "waiting", text, is_wait=True)
        is_running = item.state in _OPEN and item.end is None
        end = now if is_running else item.end
        if item.start and end and end >= item.start and item.state != S.UPSTREAM_FAILED:
            _, family, word = look_of(item.state)
            number = f"try {item.number}, " if several and not row.is_expanded else ""
            text = f"{number}{word}, {seconds((end - item.start).total_seconds())}"
            yield _segment(axis, item.start, end, family, text, is_running=is_running)


def _segment(axis: _Axis, start: datetime, end: datetime, family: str, text: str, **more: bool) -> Segment:
    at = axis.at(start)
    width = max(NARROWEST, round(axis.at(end) - at, 3))
    return Segment(min(at, 100 - NARROWEST), width, family, text, **more)


def critical_path(rows: Sequence[TaskRow], spec: DagSpec | None) -> list[str]:
    """Return the tasks that made the run as long as it is: from the one that ended last, back over what each waited for."""
    ended = {row.task_id: row for row in rows if row.start is not None}
    if spec is None or not ended:
        return []
    upstream = {task.task_id: task.upstream_task_ids for task in spec.tasks}
    step: TaskRow | None = max(ended.values(), key=_end)
    found: list[str] = []
    while step is not None and step.task_id not in found:
        found.append(step.task_id)
        above = [ended[task_id] for task_id in upstream.get(step.task_id, ()) if task_id in ended]
        step = max(above, key=_end, default=None)
    return found[::-1]


def _end(row: TaskRow) -> datetime:
    if row.is_running or row.end is None:
        return datetime.max.replace(tzinfo=UTC)
    return row.end
