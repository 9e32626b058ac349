"""Decides how durations become bars: their places and heights in an SVG, the lines of the usual and of the slow, the axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from orchestrator.templatetags.shown import look_of, run_title, seconds
from runs.models import DagRun
from runs.pages.rows import elapsed
from runs.pages.usual import quantile

WIDE, NARROW, HEIGHT, LEFT = 900, 420, 160, 56
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, with a waiting part on top of the working part; ``y`` grows downwards."""

    x: float
    width: float
    y: float
    height: float
    wait_y: float
    wait_height: float
    family: str
    glyph: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line across: a tick of the axis, or a measure."""

    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of durations; ``median`` and ``slow`` (95 of 100 are faster) are None without bars."""

    bars: list[Bar]
    ticks: list[Line]
    median: Line | None
    slow: Line | None
    width: int = WIDE
    height: int = HEIGHT
    left: int = LEFT


@dataclass(frozen=True, slots=True)
class Span:
    """What a bar shows: seconds of work and of waiting before it."""

    worked: float
    waited: float
    state: str | None
    title: str
    url: str


def durations_chart(runs: Sequence[DagRun], width: int = WIDE, with_waiting: bool = False) -> Chart:
    """Return the durations of runs, oldest first."""
    return chart_of([_of_run(run) for run in runs], width, with_waiting)


def _of_run(run: DagRun) -> Span:
    worked = elapsed(run.start_date, run.end_date) or 0.0
    waited = max(0.0, elapsed(run.queued_at, run.start_date) or 0.0) if run.queued_at and run.start_date else 0.0
    return Span(worked, waited, run.state, run_title(run), reverse("run_detail", args=[run.dag_id, run.run_id]))


def chart_of(spans: Sequence[Span], width: int = WIDE, with_waiting: bool = False) -> Chart:
    """Return bars for spans, oldest first. ``with_waiting`` stacks the waiting on top."""
    if not spans:
        return Chart([], [], None, None)
    tallest = max(span.worked + (span.waited if with_waiting else 0) for span in spans)
    top = tallest or 1.0
    step = (width - LEFT) / max(len(spans), 12)
    bars = [_bar(span, position, step, top, with_waiting) for position, span in enumerate(spans)]
    lengths = sorted(span.worked for span in spans)
    return Chart(bars, ticks(top), _line(quantile(lengths, 0.5), top), _line(quantile(lengths, 0.95), top), width)


def ticks(top: float) -> list[Line]:
    """Return two to four round values of an axis that ends at ``top``."""
    step = next((step for step in _STEPS if top / step <= 4), _STEPS[-1]) if top > 1 else top / 2
    return [_line(step * number, top) for number in range(1, int(top / step) + 1)]


def _line(value: float, top: float) -> Line:
    return Line(round(HEIGHT - HEIGHT * value / top, 1), seconds(value))


def _bar(span: Span, position: int, step: float, top: float, with_waiting: bool) -> Bar:
    glyph, family, word = look_of(span.state)
    height = max(1.5, HEIGHT * span.worked / top)
    wait = HEIGHT * span.waited / top if with_waiting else 0.0
    values: dict[str, Any] = {
        "x": round(LEFT + position * step, 1),
        "width": round(max(2.0, min(step - 2, 24)), 1),
        "y": round(HEIGHT - height, 1),
        "height": round(height, 1),
        "wait_y": round(HEIGHT - height - wait, 1),
        "wait_height": round(wait, 1),
    }
    told = f"{span.title}, {word}, {seconds(span.worked)}" + (f", waited {seconds(span.waited)}" if span.waited >= 1 else "")
    return Bar(**values, family=family, glyph=glyph, title=told, url=span.url)
