"""Decides the rows of the timeline: the runs of each DAG as bars, many short ones joined, and what its schedule will bring."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.urls import reverse

from dags_app.custom_timetables import CustomTimetable
from dags_app.models import Dag
from dags_app.selectors import specs_of
from dags_app.upcoming import upcoming_runs
from orchestrator.rest.patterns import contains
from orchestrator.sdk.definitions.timetables import decode_timetable
from orchestrator.sdk.serialization.spec import DagSpec
from orchestrator.templatetags.shown import look_of, run_title, seconds, zone_of, zoned
from runs.models import DagRun
from runs.pages.rows import elapsed
from runs.pages.timeline.window import Window

DAGS_PER_PAGE = 50
MOST_BARS = 60
MOST_RUNS = 20_000
MOST_PLANNED = 12
# Runs that began longer ago are looked for only while they go on.
LONGEST = timedelta(days=1)
_COLUMNS = ("id", "dag_id", "run_id", "state", "run_type", "run_after", "logical_date", "start_date", "end_date")
_URGENCY = ("failed", "running", "queued", "success")
_LEAST_WIDTH = 0.3


@dataclass(frozen=True, slots=True)
class Bar:
    """A run, or several that lie close together; ``x`` and ``width`` in per cent."""

    url: str
    family: str
    glyph: str
    title: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Planned:
    """A run that the schedule will bring."""

    x: float
    title: str


@dataclass(frozen=True, slots=True)
class Lane:
    """A row."""

    dag: Dag
    bars: list[Bar]
    planned: list[Planned]
    counts: list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of rows."""

    page: Page[Dag]
    lanes: list[Lane]


def timeline(window: Window, search: str, number: str | None) -> Timeline:
    """Return the DAGs that had or will have a run within the span, a page of them."""
    dags = Dag.objects.active().filter(pk__in=_ids(window)).order_by("dag_id")
    if search:
        dags = dags.filter(contains("dag_id", search) | contains("dag_display_name", search))
    page = Paginator(dags, DAGS_PER_PAGE).get_page(number)
    shown = list(page)
    runs: dict[str, list[DagRun]] = defaultdict(list)
    wanted = _within(window).filter(dag_id__in=[dag.pk for dag in shown]).only(*_COLUMNS)
    for run in wanted.order_by("-run_after", "-id")[:MOST_RUNS]:
        runs[run.dag_id].append(run)
    coming = planned_of(shown, window)
    return Timeline(page, [_lane(dag, list(reversed(runs[dag.pk])), coming.get(dag.pk, []), window) for dag in shown])


def _within(window: Window) -> QuerySet[DagRun]:
    """Runs that went on within the span, or wait since then."""
    begun = Q(start_date__lt=window.end, start_date__gte=window.begin - LONGEST)
    ended = Q(end_date__isnull=True) | Q(end_date__gte=window.begin)
    going_on = Q(state="running", start_date__lt=window.begin - LONGEST)
    waiting = Q(state="queued", run_after__lt=window.end)
    return DagRun.objects.filter((begun & ended) | going_on | waiting)


def _ids(window: Window) -> set[str]:
    found = set(_within(window).order_by().values_list("dag_id", flat=True).distinct())
    if window.end > window.now:
        due = Dag.objects.active().filter(is_paused=False, next_dagrun_create_after__lt=window.end)
        found.update(due.values_list("pk", flat=True))
    return found


def _lane(dag: Dag, runs: Sequence[DagRun], planned: list[Planned], window: Window) -> Lane:
    counts = Counter(run.state for run in runs)
    bars = [_bar(run, window) for run in runs] if len(runs) <= MOST_BARS else _joined(runs, window)
    # Drawn later is drawn above: what failed must not lie below what went well.
    bars.sort(key=lambda bar: bar.family == "failed")
    return Lane(dag, bars, planned, [(state, counts[state]) for state in _URGENCY if counts[state]])


def _bar(run: DagRun, window: Window) -> Bar:
    glyph, family, word = look_of(run.state)
    x, width = _extent(run, window)
    length = elapsed(run.start_date, run.end_date)
    title = f"{word}, {run_title(run)}" + (f", {seconds(length)}" if length is not None else "")
    return Bar(_page(run), family, "" if family == "ok" else glyph, title, x, width)


def _extent(run: DagRun, window: Window) -> tuple[float, float]:
    begin = run.start_date or run.run_after
    end = run.end_date or (window.now if run.start_date else begin)
    x = window.x(begin)
    return x, max(_LEAST_WIDTH, round(window.x(max(begin, end)) - x, 2))


def _joined(runs: Sequence[DagRun], window: Window) -> list[Bar]:
    """Join the runs that begin in the same part of the span; the bar leads to the run that needs a look most."""
    places: dict[int, list[DagRun]] = defaultdict(list)
    for run in runs:
        places[int(window.x(run.start_date or run.run_after) * MOST_BARS / 100.01)].append(run)
    step = 100 / MOST_BARS
    return [_many(some, round(place * step, 2), round(step * 0.85, 2)) for place, some in sorted(places.items())]


def _many(runs: Sequence[DagRun], x: float, width: float) -> Bar:
    counts = Counter(run.state for run in runs)
    worst = next(state for state in (*_URGENCY, runs[0].state) if counts[state])
    glyph, family, _ = look_of(worst)
    first = next(run for run in runs if run.state == worst)
    said = ", ".join(f"{counts[state]} {state}" for state in _URGENCY if counts[state])
    title = f"{len(runs)} runs from {run_title(runs[0])}: {said}"
    return Bar(_page(first), family, "" if family == "ok" else glyph, title, x, width)


def _page(run: DagRun) -> str:
    return reverse("run_detail", args=[run.dag_id, run.run_id])


def planned_of(dags: Iterable[Dag], window: Window) -> dict[str, list[Planned]]:
    """Return what the schedules will bring until the end of the span, a few for each DAG."""
    if window.end <= window.now:
        return {}
    due = [dag for dag in dags if not dag.is_paused and _is_due(dag.next_dagrun_create_after, window)]
    specs = specs_of(dag.latest_version_id for dag in due if dag.latest_version_id)
    return {dag.pk: [_planned(at, window) for at in _moments(dag, specs, window)] for dag in due}


def _is_due(moment: datetime | None, window: Window) -> bool:
    return moment is not None and moment < window.end


def _moments(dag: Dag, specs: dict[UUID, DagSpec], window: Window) -> list[datetime]:
    first = [dag.next_dagrun_create_after] if dag.next_dagrun_create_after else []
    spec = specs.get(dag.latest_version_id) if dag.latest_version_id else None
    try:
        # What a plugin decides is asked in another process, which a page does not wait for.
        if spec is None or isinstance(decode_timetable(spec.timetable), CustomTimetable):
            found = first
        else:
            found = [info.run_after for info in upcoming_runs(dag, MOST_PLANNED, spec)]
    except Exception:
        found = first
    return [moment for moment in found if window.begin <= moment < window.end]


def _planned(moment: datetime, window: Window) -> Planned:
    local = zoned(moment)
    return Planned(window.x(moment), f"planned for {local:%b %d %H:%M} {zone_of(local)}")
