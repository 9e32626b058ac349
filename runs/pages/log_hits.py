"""Decides which lines of several logs match what a person looks for, log after log in their order, within bounds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from runs.log_expression import Expression, ExpressionError, Span
from runs.log_search import Bounds, Found, Spots, candidates, every_line, shown_text, spots_of
from runs.log_window import Line
from runs.logs import LogPathError, log_file
from runs.models import AttemptFields
from runs.pages.ansi import plain_text
from runs.pages.log_html import LEVELS, SPELLINGS, level_of, moment_of
from runs.pages.log_places import Logs
from runs.pages.ti_address import path_of_instance

MOST_HITS = 200
LONGEST_TEXT = 64 * 1024
BEFORE, MATCH, AFTER = 80, 300, 300
# Lines are looked at together, for each is sent to a process at a price; so many, or until they have so many letters.
_AT_ONCE = 1000
_LETTERS_AT_ONCE = 1024 * 1024
Spans = Callable[[Sequence[str]], list[Span | None]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for: a text, or a regular expression; no level means any level."""

    text: str = ""
    is_regex: bool = False
    levels: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.text or self.levels)


@dataclass(frozen=True, slots=True)
class Hit:
    """A line that matches, with some of its text around the match."""

    attempt: AttemptFields
    position: int
    level: str
    made_at: datetime | None
    before: str
    match: str
    after: str

    @property
    def url(self) -> str:
        """The address of the line."""
        return f"{path_of_instance(self.attempt)}?try={self.attempt.try_number}&at={self.position}#B{self.position}"


@dataclass(slots=True)
class Hits:
    """The lines, where to go on (empty where all was looked through), how many logs were looked at, and what went wrong.

    ``without_file``: how many of these logs are not there, or not any more; ``last``: the one that was looked at last.
    """

    rows: list[Hit] = field(default_factory=list)
    next_place: str = ""
    looked_at: int = 0
    without_file: int = 0
    last: AttemptFields | None = None
    error: str = ""


def hits_of(logs: Logs, asked: Asked, place: str = "") -> Hits:
    """Return what matches in logs, in their order, from a place on."""
    found = Hits(next_place=logs.rest)
    if not asked or not logs.rows:
        return found
    try:
        with _matching(asked) as spans:
            _look(logs, asked, spans, logs.start(place), found)
    except ExpressionError as error:
        return Hits(error=str(error))
    return found


def _look(logs: Logs, asked: Asked, spans: Spans, place: tuple[int, int], found: Hits) -> None:
    begin, start = place
    bounds = Bounds()
    for number in range(begin, len(logs.rows)):
        if bounds.are_reached:
            found.next_place = logs.place(number, start)
            return
        scan = _in_one(logs.rows[number], asked, spans, Found(scanned=start), bounds, found)
        start = 0
        found.looked_at += 1
        found.without_file += scan.is_missing
        found.last = logs.rows[number]
        if not scan.complete:
            found.next_place = logs.place(number, scan.scanned)
            return


def _in_one(attempt: AttemptFields, asked: Asked, spans: Spans, scan: Found, bounds: Bounds, found: Hits) -> Found:
    """Look through the log of one try; the answer tells how far it came."""
    try:
        lines = candidates(log_file(attempt), scan, _spots(asked), bounds)
    except LogPathError:
        return Found(complete=True, is_missing=True)
    wanted = (line for line in lines if not asked.levels or level_of(line.record) in asked.levels)
    for some, texts in _together(wanted):
        for line, text, span in zip(some, texts, spans(texts), strict=True):
            if span is None:
                continue
            found.rows.append(_hit(attempt, line, text, span))
            if len(found.rows) >= MOST_HITS:
                return Found(scanned=line.position + 1)
    return scan


def _together(lines: Iterator[Line]) -> Iterator[tuple[list[Line], list[str]]]:
    """Yield lines and what each shows, as many as are looked at together."""
    some: list[Line] = []
    texts: list[str] = []
    letters = 0
    for line in lines:
        text = plain_text(shown_text(line.record))
        some.append(line)
        texts.append(text[:LONGEST_TEXT])
        letters += len(text)
        if len(some) >= _AT_ONCE or letters >= _LETTERS_AT_ONCE:
            yield some, texts
            some, texts, letters = [], [], 0
    if some:
        yield some, texts


def _hit(attempt: AttemptFields, line: Line, text: str, span: Span) -> Hit:
    begin, end = span
    cut = max(0, begin - BEFORE)
    # Of fields and errors behind the message only what matches is shown.
    before = text[cut:begin].replace("\n", " · ")
    after, _, _ = text[end:].partition("\n")
    return Hit(
        attempt=attempt,
        position=line.position,
        level=level_of(line.record),
        made_at=moment_of(line.record),
        before=f"…{before}" if cut else before,
        match=text[begin : min(end, begin + MATCH)],
        after=f"{after[:AFTER]}…" if len(after) > AFTER else after,
    )


@contextmanager
def _matching(asked: Asked) -> Iterator[Spans]:
    """What finds a match in texts. Raises ``ExpressionError`` for an expression that is none."""
    if asked.is_regex and asked.text:
        with Expression(asked.text) as expression:
            yield expression.spans
    else:
        wanted = asked.text.lower()
        yield lambda texts: [_span(text.lower(), wanted) for text in texts]


def _span(text: str, wanted: str) -> Span | None:
    begin = text.find(wanted)
    return None if begin < 0 else (begin, begin + len(wanted))


def _spots(asked: Asked) -> Spots:
    """Where lines may be that matter: by the text, or by the level where no text helps."""
    if asked.text and not asked.is_regex:
        return spots_of(asked.text)
    if not asked.levels or "info" in asked.levels:  # what says no level is information
        return every_line
    words = "|".join(word for word in (*LEVELS, *SPELLINGS) if SPELLINGS.get(word, word) in asked.levels)
    pattern = re.compile(rf'"level"\s*:\s*"(?:{words})"'.encode(), re.IGNORECASE)
    return lambda chunk: (match.start() for match in pattern.finditer(chunk))
