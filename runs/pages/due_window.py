"""Decides which window of time a search over runs means: from and to, by when a run was due; the last 24 hours by default.

The fields take times on the person's clock; the address has instants in UTC, as that of a list has, and a search always both
of them. So an address means the same to whoever gets it, and later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.http import QueryDict

from orchestrator.kernel.clock import utcnow
from orchestrator.ui.list_addresses import changed
from orchestrator.ui.list_fields import Filter, FormField, fields_of, tidied
from runs.pages.form_times import TimeUnreadableError, instant_given

FROM, TO = "after", "before"  # as in the audit log; "from" is the place where a search of logs goes on
FILTERS = (Filter(FROM, "From", "date"), Filter(TO, "To", "date"))
SPAN = timedelta(hours=24)
SPANS = (("24 hours", SPAN), ("7 days", timedelta(days=7)), ("30 days", timedelta(days=30)))
_MINUTE = timedelta(minutes=1)


class WindowError(ValueError):
    """A time that is none, or two in the wrong order; the text says which, and ``field`` whose it is."""

    def __init__(self, text: str, field: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True)
class DueWindow:
    """Two instants; both belong to the window."""

    start: datetime
    end: datetime


def window_of(query: QueryDict) -> DueWindow:
    """Return the window of an address. Raises ``WindowError``."""
    end = _instant(query, TO) or _whole_minute(utcnow()) + _MINUTE
    try:
        start = _instant(query, FROM) or end - SPAN
    except OverflowError as error:
        raise WindowError("To lies before the beginning of the calendar.", TO) from error
    if start > end:
        raise WindowError("From is after To: no run can be due between them.", FROM)
    return DueWindow(start, end)


def full_address(query: QueryDict, window: DueWindow) -> QueryDict:
    """Return an address with the window in it, and without fields that are empty."""
    full = tidied(FILTERS, query)
    full[FROM] = full.get(FROM, _text(window.start))
    full[TO] = full.get(TO, _text(window.end))
    return full


def fields(query: QueryDict, window: DueWindow | None) -> list[FormField]:
    """Return the two fields with what the address says; without it the first one has what it means."""
    shown = query.copy()
    if window is not None and not query.get(FROM):
        shown[FROM] = _text(window.start)
    return fields_of(FILTERS, shown)


def spans(query: QueryDict) -> list[tuple[str, str]]:
    """Return (words, address) of the same search over some time up to now."""
    now = _whole_minute(utcnow())
    return [(words, changed(query, (TO, "from"), **{FROM: _text(now - span)})) for words, span in SPANS]


def _instant(query: QueryDict, name: str) -> datetime | None:
    try:
        return instant_given(query.get(name, ""))
    except TimeUnreadableError as error:
        label = next(item.label for item in FILTERS if item.name == name)
        raise WindowError(f"{label}: {error}.", name) from error


def _whole_minute(value: datetime) -> datetime:
    return value.astimezone(UTC).replace(second=0, microsecond=0)


def _text(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
