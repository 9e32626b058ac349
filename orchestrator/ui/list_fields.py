"""Decides how people ask a list for what they want: fields for dates and durations, words for filters, tidy addresses.

A field takes a time on the person's clock and a duration in words; the address has what the REST list takes: instants in UTC
and seconds. So an address means the same to whoever gets it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone

from orchestrator.templatetags.shown import zone_of, zoned
from runs.pages.form_times import field_text

Choices = Sequence[tuple[str, str]]
# A filter of one of these kinds has two parameters: ``<name>_gte`` and ``<name>_lte``.
PAIRS = {"dates": "date", "durations": "duration", "numbers": "number"}
_UNITS = {"d": 86400, "h": 3600, "m": 60, "min": 60, "s": 1, "sec": 1}
_PART = re.compile(r"(\d+(?:\.\d+)?) ?([a-z]+) ?")


@dataclass(frozen=True, slots=True)
class Stored:
    """Choices that the database has: a text column of some rows, and how names come out of its different values, in order.

    A list asks for all of its stored choices at once: see ``orchestrator/ui/list_offers.py``.
    """

    column: str
    rows: Callable[[], QuerySet[Any]]
    names: Callable[[Iterable[str]], list[str]] = list


@dataclass(frozen=True, slots=True)
class Filter:
    """One field of the filter form.

    ``kind``: text, search (always visible), choice, choices (several), date, duration, number, and dates, durations, numbers:
    the pair ``<name>_gte`` and ``<name>_lte``. ``hint`` is shown in an empty field.
    """

    name: str
    label: str
    kind: str = "text"
    choices: Choices | Callable[[], Choices] | Stored = ()
    hint: str = ""

    def options(self) -> Choices:
        """Return (value, label) pairs; none where they are stored, whose labels are their values."""
        if isinstance(self.choices, Stored):
            return ()
        return self.choices() if callable(self.choices) else self.choices

    def parts(self) -> list[Filter]:
        """Return the fields with one parameter each."""
        if self.kind not in PAIRS:
            return [self]
        words = (("gte", "from"), ("lte", "to")) if self.kind == "dates" else (("gte", "at least"), ("lte", "at most"))
        return [Filter(f"{self.name}_{bound}", f"{self.label} {word}", PAIRS[self.kind], (), self.hint) for bound, word in words]

    def text_of(self, value: str) -> str:
        """Return a value of the address in words."""
        if self.kind == "date":
            return _said(value)
        if self.kind == "duration":
            return duration_text(value)
        return dict(self.options()).get(value, value) if self.kind in ("choice", "choices") else value

    def field_of(self, value: str) -> str:
        """Return a value of the address as the field shows it."""
        if self.kind == "date":
            found = _instant(value)
            return field_text(found) if found is not None else value
        return duration_text(value) if self.kind == "duration" else value

    def address_of(self, given: str) -> str:
        """Return what somebody wrote as the address has it; what cannot be read stays, and the list says what is wrong."""
        if self.kind == "date":
            found = _instant(given)
            is_local = found is not None and datetime.fromisoformat(given.strip()).tzinfo is None
            return f"{found:%Y-%m-%dT%H:%M:%S}Z" if is_local and found is not None else given
        return seconds_given(given) if self.kind == "duration" else given


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of the filter form with its present values, ``value`` as the field shows it; ``parts`` are those of a pair.

    ``options``: (value, label) pairs to choose from.
    """

    filter: Filter
    values: list[str] = field(default_factory=list)
    value: str = ""
    parts: list[FormField] = field(default_factory=list)
    options: Choices = ()


def single(filters: Sequence[Filter]) -> dict[str, Filter]:
    """Return the fields by the parameter that each of them is for."""
    return {part.name: part for item in filters for part in item.parts()}


def fields_of(filters: Sequence[Filter], query: QueryDict, stored: Mapping[str, Choices] | None = None) -> list[FormField]:
    """Return the form; ``stored`` are the choices of the filters whose choices the database has."""
    return [_field(item, query, stored or {}) for item in filters]


def _field(item: Filter, query: QueryDict, stored: Mapping[str, Choices]) -> FormField:
    if item.kind in PAIRS:
        return FormField(item, parts=[_field(part, query, stored) for part in item.parts()])
    values = [value for value in query.getlist(item.name) if value]
    options = stored[item.name] if item.name in stored else item.options()
    return FormField(item, values, item.field_of(values[-1]) if values else "", options=options)


def tidied(filters: Sequence[Filter], query: QueryDict) -> QueryDict:
    """Return an address without empty fields, with instants in UTC and durations in seconds."""
    known, tidy = single(filters), QueryDict(mutable=True)
    for name, values in query.lists():
        some = [known[name].address_of(value) if name in known else value for value in values if value != ""]
        if some:
            tidy.setlist(name, some)
    return tidy


def seconds_given(text: str) -> str:
    """``1 h 30 m`` → ``5400``; a number of seconds and what is no duration stay."""
    said = " ".join(text.lower().split())
    parts = [(float(number), _UNITS.get(unit)) for number, unit in _PART.findall(said)]
    if not parts or _PART.sub("", said) or any(size is None for _, size in parts):
        return text
    return f"{sum(number * (size or 0) for number, size in parts):g}"


def duration_text(value: str) -> str:
    """``5400`` → ``1 h 30 m``."""
    try:
        left = float(value)
    except ValueError:
        return value
    if not 0 < left < 1e9:
        return value
    return " ".join(_pieces(left))


def _pieces(left: float) -> Iterator[str]:
    for unit in ("d", "h", "m"):
        number, left = divmod(left, _UNITS[unit])
        if number:
            yield f"{number:.0f} {unit}"
    if left:
        yield f"{left:g} s"


def _instant(text: str) -> datetime | None:
    try:
        given = datetime.fromisoformat(text.strip())
        return (given if given.tzinfo else timezone.make_aware(given)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _said(value: str) -> str:
    found = _instant(value)
    if found is None:
        return value
    local = zoned(found)
    return f"{local:%Y-%m-%d %H:%M} {zone_of(local)}"
