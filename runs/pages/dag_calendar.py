"""Decides what the calendar of a DAG shows: how many runs of each state a day or an hour had, and how many will be."""

from __future__ import annotations

import calendar
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDay, TruncHour
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from dags_app.models import Dag
from dags_app.selectors import SpecUnreadableError
from dags_app.upcoming import upcoming_runs
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.definitions.timetables import AirflowTimetableInvalid
from orchestrator.templatetags.shown import look_of
from runs.models import DagRun

VIEWS = (("month", "Month"), ("hours", "Hours"), ("year", "Year"))
FIELDS = (("run_after", "by run after"), ("logical_date", "by logical date"))
SHOWN = (("total", "All runs"), ("failed", "Failed runs"))
# What needs a look stands for the whole.
_WORST_FIRST = ("failed", "running", "queued", "success")
MOST_PLANNED = 400


@dataclass(frozen=True, slots=True)
class Choice:
    """What the address asks for; ``first`` is the first day of the month."""

    view: str
    first: date
    field: str
    show: str

    @property
    def end(self) -> date:
        """The first day after what is shown."""
        if self.view == "year":
            return date(self.first.year + 1, 1, 1)
        return (self.first.replace(day=28) + timedelta(days=4)).replace(day=1)

    @property
    def start(self) -> date:
        """The first day of what is shown."""
        return date(self.first.year, 1, 1) if self.view == "year" else self.first


@dataclass(slots=True)
class Slot:
    """A day or an hour. ``url`` lists its runs; ``planned``: runs that the schedule will make."""

    at: datetime
    counts: Counter[str] = field(default_factory=Counter)
    planned: int = 0
    url: str = ""
    is_outside: bool = False
    is_today: bool = False

    @property
    def total(self) -> int:
        """How many runs there are."""
        return self.counts.total()

    @property
    def state(self) -> str | None:
        """The state that stands for all."""
        return next((state for state in _WORST_FIRST if self.counts[state]), None)

    @property
    def looks(self) -> list[tuple[str, str, str, int]]:
        """(glyph, family, word, number) of each state, what needs a look first."""
        states = [state for state in _WORST_FIRST if self.counts[state]]
        return [(*look_of(state), self.counts[state]) for state in states]

    @property
    def glyph(self) -> str:
        """The mark of the state."""
        return look_of(self.state)[0]

    @property
    def family(self) -> str:
        """The colours of the state."""
        return look_of(self.state)[1]

    @property
    def told(self) -> str:
        """What the slot holds, in words."""
        parts = [f"{number} {word}" for _, _, word, number in self.looks]
        return ", ".join([*parts, *([f"{self.planned} planned"] if self.planned else [])]) or "no run"


@dataclass(frozen=True, slots=True)
class Month:
    """A month as weeks of days."""

    name: str
    weeks: list[list[Slot]]


@dataclass(frozen=True, slots=True)
class Calendar:
    """Everything that the page shows; ``hours`` are days of 24 slots."""

    title: str
    months: list[Month]
    hours: list[tuple[date, list[Slot]]]
    earlier: str
    later: str
    total: int
    note: str


def read_choice(query: Any) -> Choice:
    """Read the address; what makes no sense counts as not given."""
    now = timezone.localtime(utcnow()).date()
    try:
        year, month = (int(part) for part in query.get("at", "").split("-"))
        first = date(year, month, 1) if 1970 <= year <= 9000 else now.replace(day=1)
    except ValueError:
        first = now.replace(day=1)
    words = (
        (query.get(name, ""), [word for word, _ in known]) for name, known in (("view", VIEWS), ("by", FIELDS), ("show", SHOWN))
    )
    view, by, show = (text if text in known else known[0] for text, known in words)
    return Choice(view, first, by, show)


def calendar_of(dag: Dag, choice: Choice) -> Calendar:
    """Return the calendar; one query, and one for the schedule."""
    zone = timezone.get_current_timezone()
    start, end = (datetime.combine(day, datetime.min.time(), zone) for day in (choice.start, choice.end))
    slots: dict[datetime, Slot] = {}
    for at, state, number in _counts(dag, choice, start, end):
        if choice.show != "failed" or state == "failed":
            slots.setdefault(at, Slot(at)).counts[state] += number
    note = _plan(dag, choice, slots, start, end) if choice.show == "total" else ""
    total = sum(slot.total for slot in slots.values())
    months = [_month(dag, choice, slots, month) for month in _months(choice)] if choice.view != "hours" else []
    hours = list(_hours(dag, choice, slots)) if choice.view == "hours" else []
    title = str(choice.first.year) if choice.view == "year" else f"{choice.first:%B %Y}"
    return Calendar(title, months, hours, _turn(choice, choice.start - timedelta(days=1)), _turn(choice, choice.end), total, note)


def _counts(dag: Dag, choice: Choice, start: datetime, end: datetime) -> Iterable[tuple[datetime, str, int]]:
    rows: QuerySet[Any] = DagRun.objects.filter(dag_id=dag.pk, **{f"{choice.field}__gte": start, f"{choice.field}__lt": end})
    cut = TruncHour if choice.view == "hours" else TruncDay
    cuts: Any = rows.annotate(slot=cut(choice.field)).order_by().values_list("slot", "state")
    found: Iterable[tuple[datetime, str, int]] = cuts.annotate(number=Count("id"))
    return found


def _plan(dag: Dag, choice: Choice, slots: dict[datetime, Slot], start: datetime, end: datetime) -> str:
    """Add the runs that the schedule will make; returns why there are none, where that is no matter of course."""
    if dag.is_paused:
        return "The DAG is paused, so no run is planned."
    try:
        planned = upcoming_runs(dag, MOST_PLANNED) if end > utcnow() and not dag.is_stale else []
    except (SpecUnreadableError, AirflowTimetableInvalid, ValueError, NotImplementedError) as error:
        return f"The schedule cannot say its next runs: {error}"
    for info in planned:
        at = info.run_after if choice.field == "run_after" else info.logical_date
        if at is not None and start <= at < end:
            local = timezone.localtime(at)
            cut = local.replace(minute=0, second=0, microsecond=0)
            key = cut if choice.view == "hours" else cut.replace(hour=0)
            slots.setdefault(key, Slot(key)).planned += 1
    is_cut = len(planned) == MOST_PLANNED and planned[-1].run_after < end
    return f"Only the next {MOST_PLANNED} planned runs are shown." if is_cut else ""


def _months(choice: Choice) -> list[date]:
    return [date(choice.first.year, month, 1) for month in range(1, 13)] if choice.view == "year" else [choice.first]


def _month(dag: Dag, choice: Choice, slots: dict[datetime, Slot], first: date) -> Month:
    weeks = calendar.Calendar().monthdatescalendar(first.year, first.month)
    return Month(f"{first:%B}", [[_day(dag, choice, slots, day, day.month != first.month) for day in week] for week in weeks])


def _day(dag: Dag, choice: Choice, slots: dict[datetime, Slot], day: date, is_outside: bool) -> Slot:
    key = datetime.combine(day, datetime.min.time(), timezone.get_current_timezone())
    slot = Slot(key) if is_outside else slots.get(key, Slot(key))
    slot.is_outside = is_outside
    slot.is_today = day == timezone.localtime(utcnow()).date()
    slot.url = runs_url(dag.pk, choice, key, key + timedelta(days=1)) if slot.total else ""
    return slot


def _hours(dag: Dag, choice: Choice, slots: dict[datetime, Slot]) -> Iterator[tuple[date, list[Slot]]]:
    zone, day = timezone.get_current_timezone(), choice.start
    while day < choice.end:
        found = []
        for hour in range(24):
            key = datetime(day.year, day.month, day.day, hour, tzinfo=zone)
            slot = slots.get(key, Slot(key))
            slot.url = runs_url(dag.pk, choice, key, key + timedelta(hours=1)) if slot.total else ""
            found.append(slot)
        yield day, found
        day += timedelta(days=1)


def runs_url(dag_id: str, choice: Choice, start: datetime, end: datetime) -> str:
    """Return the address of the runs of a slot."""
    try:
        path = reverse("dag_runs", args=[dag_id])
    except NoReverseMatch:
        return reverse("dag_detail", args=[dag_id])
    state = {"state": "failed"} if choice.show == "failed" else {}
    return f"{path}?{urlencode({f'{choice.field}_gte': start.isoformat(), f'{choice.field}_lt': end.isoformat(), **state})}"


def _turn(choice: Choice, day: date) -> str:
    words = {"view": choice.view, "at": f"{day:%Y-%m}", "by": choice.field, "show": choice.show}
    return f"?{urlencode(words)}" if 1970 <= day.year <= 9000 else ""
