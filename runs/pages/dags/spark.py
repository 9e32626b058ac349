"""Decides how the newest runs of a DAG are drawn as bars: as high as the run was long, with the sign and colour of its state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.templatetags.shown import look_of, run_title, seconds
from runs.models import DagRun
from runs.pages.rows import elapsed

STEP, HEIGHT, LEAST = 10, 18, 4


@dataclass(frozen=True, slots=True)
class Bar:
    """One run: where its bar stands, how high it is, and what it is called."""

    run: DagRun
    x: int
    y: int
    height: int
    family: str
    glyph: str
    title: str


def bars(runs: Sequence[DagRun], places: int) -> list[Bar]:
    """Return the bars, the newest at the right."""
    lengths = [elapsed(run.start_date, run.end_date) or 0.0 for run in runs]
    longest = max(lengths, default=0.0)
    skipped = places - len(runs)
    return [_bar(run, length, longest, skipped + number) for number, (run, length) in enumerate(zip(runs, lengths, strict=True))]


def _bar(run: DagRun, length: float, longest: float, place: int) -> Bar:
    glyph, family, word = look_of(run.state)
    height = max(LEAST, round(HEIGHT * (length / longest) ** 0.5)) if longest else LEAST
    title = f"{word}, {run_title(run)}, {seconds(length)}" if run.start_date else f"{word}, {run_title(run)}"
    # What went well needs no sign: then the others stand out, also without colours.
    return Bar(run, place * STEP, HEIGHT - height, height, family, "" if family == "ok" else glyph, title)
