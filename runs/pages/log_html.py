"""Decides how lines of a log look: safe HTML, a list item a line. A template would take ten times as long for them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from html import escape
from typing import Any

from orchestrator.templatetags.shown import zoned
from runs.log_window import Line
from runs.pages.ansi import ansi_html, plain_text
from runs.pages.tracebacks import errors_html

LEVELS = ("debug", "info", "warning", "error", "critical")
LONGEST_TEXT = 16 * 1024
LONGEST_FIELD = 300
MOST_FIELDS = 40
SPELLINGS = {"warn": "warning", "fatal": "critical", "exception": "error", "notset": "debug"}
_OWN_PLACE = frozenset({"timestamp", "level", "event", "logger", "filename", "lineno", "error_detail"})
_GROUP, _END = ("::group::", "##[group]"), ("::endgroup::", "##[endgroup]")


def lines_html(lines: Iterable[Line], number: int | None, try_number: int, day: date | None) -> str:
    """Return the lines as list items.

    Args:
        number: the number of the first line, None where it is not known.
        day: the day on which the try began; lines of another one say theirs.
    """
    made = []
    for line in lines:
        made.append(_item(line, number, try_number, day))
        number = None if number is None else number + 1
    return "\n".join(made)


def level_of(record: dict[str, Any]) -> str:
    """Return one of ``LEVELS``."""
    word = str(record.get("level") or "info").lower()
    word = SPELLINGS.get(word, word)
    return word if word in LEVELS else "info"


def moment_of(record: dict[str, Any]) -> datetime | None:
    """Return when a record was made, as an instant with its zone; None where it does not say."""
    try:
        given = datetime.fromisoformat(record.get("timestamp"))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return given if given.tzinfo else given.replace(tzinfo=UTC)


def _item(line: Line, number: int | None, try_number: int, day: date | None) -> str:
    record, level = line.record, level_of(line.record)
    event = str(record.get("event", ""))
    kind, event = _kind(event)
    word = "" if level == "info" else f"<b>{level.upper()}</b> "
    name = f"line {number}" if number is not None else f"line at byte {line.position}"
    place = f"?try={try_number}&amp;at={line.position}#B{line.position}"
    link = f'<a class="n" href="{place}" aria-label="{name}">{number or "·"}</a>'
    text = f"{_text(event)}{_fields(record)}{errors_html(record.get('error_detail'))}"
    logger = escape(plain_text(str(record.get("logger") or ""))[:200])
    return (
        f'<li id="B{line.position}" class="{level}{kind}" data-logger="{logger}">{link}{_time(moment_of(record), day)}'
        f'{word}<div class="text">{_source(record, logger)}{text}</div></li>'
    )


def _kind(event: str) -> tuple[str, str]:
    """What the line says about groups, and what is left of it as text."""
    for mark in _GROUP:
        if event.startswith(mark):
            return " group", event[len(mark) :].strip() or "Group"
    return (" end", "") if event.startswith(_END) else ("", event)


def _text(event: str) -> str:
    if len(event) <= LONGEST_TEXT:
        return ansi_html(event)
    return f'{ansi_html(event[:LONGEST_TEXT])}… <i class="muted">({len(event):,} characters; the download has them all)</i>'


def _source(record: dict[str, Any], logger: str) -> str:
    place = f"{record['filename']}:{record.get('lineno', '?')}" if record.get("filename") else ""
    shown = f"{logger} {escape(plain_text(place))}".strip()
    return f'<span class="source">{shown} </span>' if shown else ""


def _fields(record: dict[str, Any]) -> str:
    made: list[str] = []
    for name, value in record.items():
        if name not in _OWN_PLACE and value is not None and len(made) < MOST_FIELDS:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
            cut = f"{text[:LONGEST_FIELD]}…" if len(text) > LONGEST_FIELD else text
            made.append(f' <span class="field"><i>{escape(plain_text(name))}</i>={escape(plain_text(cut))}</span>')
    return "".join(made)


def _time(given: datetime | None, day: date | None) -> str:
    if given is None:
        return "<time></time>"
    local = zoned(given)
    form = "%H:%M:%S" if day is None or local.date() == day else "%b %d %H:%M:%S"
    return f'<time datetime="{local.isoformat()}">{local.strftime(form)}.{local.microsecond // 1000:03d}</time>'
