"""Decides what the fields of a form mean: a value of the type that the param's schema wants, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.utils import timezone

from orchestrator.json_given import ValueUnreadableError, finite, json_given
from runs.pages.param_fields import ParamField, fields_of, types_of
from runs.param_check import ParamsInvalidError, check_params

NO_VALUE = "This needs a value."


@dataclass(slots=True)
class ReadFields:
    """The values of the fields of a form, what is wrong with some, and the texts that could not be read; all by name."""

    conf: dict[str, Any] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    raw: dict[str, str] = field(default_factory=dict)


def read_fields(params: Mapping[str, Any], data: QueryDict) -> ReadFields:
    """Read the fields of the params from what a form sent."""
    read = ReadFields()
    for item in fields_of(params, {}, {}):
        try:
            read.conf[item.name] = _value(item, params[item.name].get("value"), data)
        except ValueUnreadableError as error:
            read.problems[item.name], read.raw[item.name] = str(error), data.get(item.key, "")
    read.problems |= {name: text for name, text in problems_of(params, read.conf).items() if name not in read.problems}
    return read


def problems_of(params: Mapping[str, Any], conf: Mapping[str, Any]) -> dict[str, str]:
    """Return what the params' schemas refuse of a configuration, one sentence by name."""
    found = {}
    for name, param in params.items():
        try:
            check_params({name: param}, {name: conf[name]} if name in conf else {})
        except ParamsInvalidError as error:
            found[name] = _sentence(str(error), name)
    return found


def _sentence(text: str, name: str) -> str:
    first = text.removeprefix(f"Invalid input for param {name}: ").split("\n", 1)[0]
    return NO_VALUE if first == "No value passed" else first


def _value(item: ParamField, default: Any, data: QueryDict) -> Any:
    if item.kind == "constant":
        return item.schema["const"]
    if item.kind == "several":
        chosen = [_json(text, item) for text in data.getlist(item.key) if text]
        return chosen if chosen or not item.is_nullable else None
    raw = data.get(item.key, "")
    if item.kind == "boolean" and not item.is_nullable:
        return raw in ("on", "true")
    if not raw.strip():
        return _nothing(item, default)
    return _READERS.get(item.kind, _text)(raw, item)


def _nothing(item: ParamField, default: Any) -> Any:
    if item.is_nullable:
        return None
    if item.kind == "lines":
        return []
    if default == "" and "string" in types_of(item.schema):
        return ""
    raise ValueUnreadableError(NO_VALUE)


def _text(raw: str, item: ParamField) -> str:
    return raw.replace("\r\n", "\n")


def _integer(raw: str, item: ParamField) -> int:
    try:
        return int(raw)
    except ValueError as error:
        raise ValueUnreadableError("This is no whole number.") from error


def _number(raw: str, item: ParamField) -> int | float:
    try:
        return int(raw) if raw.strip().lstrip("+-").isdecimal() else finite(raw)
    except ValueError as error:
        raise ValueUnreadableError("This is no number.") from error


def _json(raw: str, item: ParamField) -> Any:
    try:
        return json_given(raw)
    except (ValueError, RecursionError) as error:
        if item.kind == "any" and "string" in (types_of(item.schema) or ["string"]):
            return _text(raw, item)
        raise ValueUnreadableError(f"This is no JSON: {error}") from error


def _lines(raw: str, item: ParamField) -> list[Any]:
    items = item.schema.get("items")
    kind = items.get("type") if isinstance(items, Mapping) else None
    read: Callable[[str, ParamField], Any] = {"integer": _integer, "number": _number}.get(str(kind), _text)
    return [read(line.strip(), item) for line in raw.splitlines() if line.strip()]


def _instant(raw: str, item: ParamField) -> str:
    try:
        given = datetime.fromisoformat(raw)
    except ValueError as error:
        raise ValueUnreadableError("This is no date with a time.") from error
    return (given if given.tzinfo else timezone.make_aware(given)).isoformat()


def _time(raw: str, item: ParamField) -> str:
    return f"{raw}:00" if len(raw) == len("12:00") else raw


_READERS: Mapping[str, Callable[[str, ParamField], Any]] = {
    "boolean": _json,
    "choice": _json,
    "integer": _integer,
    "number": _number,
    "object": _json,
    "json": _json,
    "any": _json,
    "lines": _lines,
    "date-time": _instant,
    "time": _time,
}
