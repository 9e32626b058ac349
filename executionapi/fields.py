"""Decides how one value of a request is read, and how a wrong one is named: type, place, message, input."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from executionapi.replies import RefusalError

MISSING: Final = object()
Place = tuple[str | int, ...]


class InvalidError(Exception):
    """A value that is not of the kind wanted."""

    def __init__(self, kind: str, message: str, **ctx: Any) -> None:
        super().__init__(message)
        self.kind = kind
        self.ctx = ctx

    def at(self, place: Place, value: Any) -> dict[str, Any]:
        """How the answer names it."""
        error: dict[str, Any] = {"type": self.kind, "loc": list(place), "msg": str(self), "input": value}
        if self.ctx:
            error["ctx"] = self.ctx
        return error


Reader = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One member of an object: ``alias`` is a second name it may come under."""

    name: str
    read: Reader
    required: bool = True
    default: Any = None
    alias: str = ""


def text(value: Any) -> str:
    """A string."""
    if isinstance(value, str):
        return value
    raise InvalidError("string_type", "Input should be a valid string")


def integer(value: Any) -> int:
    """A whole number, also as text, as in a query."""
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if value.is_integer():
            return int(value)
        raise InvalidError("int_from_float", "Input should be a valid integer, got a number with a fractional part")
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            raise InvalidError("int_parsing", "Input should be a valid integer, unable to parse string as an integer") from None
    raise InvalidError("int_type", "Input should be a valid integer")


def number(value: Any) -> float:
    """A number."""
    if isinstance(value, int | float):
        return float(value)
    raise InvalidError("float_type", "Input should be a valid number")


_BOOLEANS: Final = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def boolean(value: Any) -> bool:
    """True or false, also as a word."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str | int) and (found := _BOOLEANS.get(str(value).lower())) is not None:
        return found
    raise InvalidError("bool_parsing", "Input should be a valid boolean, unable to interpret input")


def instant(value: Any) -> datetime:
    """An aware datetime in UTC from ISO 8601, or from epoch seconds."""
    if isinstance(value, str):
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            raise InvalidError("datetime_from_date_parsing", "Input should be a valid datetime or date") from None
    elif isinstance(value, int | float) and not isinstance(value, bool):
        try:
            found = datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            raise InvalidError("datetime_parsing", "Input should be a valid datetime") from None
    else:
        raise InvalidError("datetime_type", "Input should be a valid datetime")
    if found.tzinfo is None:
        raise InvalidError("timezone_aware", "Input should have timezone info")
    return found.astimezone(UTC)


_DURATION: Final = re.compile(
    r"(?P<sign>[+-])?P(?:(?P<weeks>[\d.]+)W)?(?:(?P<days>[\d.]+)D)?"
    r"(?:T(?:(?P<hours>[\d.]+)H)?(?:(?P<minutes>[\d.]+)M)?(?:(?P<seconds>[\d.]+)S)?)?"
)


def duration(value: Any) -> timedelta:
    """A span from ISO 8601 (``P1DT2H``), or from seconds."""
    try:
        if isinstance(value, int | float):
            return timedelta(seconds=value)
        if isinstance(value, str) and (found := _DURATION.fullmatch(value)):
            parts = {name: float(part) for name, part in found.groupdict().items() if part and name != "sign"}
            return timedelta(**parts) * (-1 if found["sign"] == "-" else 1)
    except (ValueError, OverflowError):
        pass
    raise InvalidError("time_delta_parsing", "Input should be a valid timedelta")


def mapping(value: Any) -> dict[str, Any]:
    """A JSON object."""
    if isinstance(value, dict):
        return value
    raise InvalidError("dict_type", "Input should be a valid dictionary")


def array(value: Any) -> list[Any]:
    """A JSON array."""
    if isinstance(value, list):
        return value
    raise InvalidError("list_type", "Input should be a valid list")


def objects(value: Any) -> list[dict[str, Any]]:
    """A JSON array of objects."""
    return [mapping(item) for item in array(value)]


def uuid(value: Any) -> UUID:
    """A UUID as text."""
    try:
        return UUID(value)
    except (ValueError, AttributeError, TypeError):
        raise InvalidError("uuid_parsing", "Input should be a valid UUID") from None


def anything(value: Any) -> Any:
    """Any JSON value."""
    return value


def optional(read: Reader) -> Reader:
    """The same or null."""
    return lambda value: None if value is None else read(value)


def one_of(*words: str) -> Reader:
    """One of the words."""
    *most, last = (f"'{word}'" for word in words)
    expected = f"{', '.join(most)} or {last}" if most else last

    def read(value: Any) -> str:
        if value in words:
            return str(value)
        raise InvalidError("enum" if most else "literal_error", f"Input should be {expected}", expected=expected)

    return read


def read_value(value: Any, read: Reader, place: Place) -> Any:
    """Read a whole body or path part. Raises RefusalError 422."""
    if value is MISSING:
        raise RefusalError(422, [_missing(place, None)])
    try:
        return read(value)
    except InvalidError as error:
        raise RefusalError(422, [error.at(place, value)]) from None


def read_object(body: Any, fields: tuple[Field, ...], place: Place = ("body",)) -> dict[str, Any]:
    """Read an object with exactly ``fields``. Raises RefusalError 422 with one entry for each wrong member."""
    if body is MISSING:
        raise RefusalError(422, [_missing(place, None)])
    if not isinstance(body, dict):
        kind, message = "model_attributes_type", "Input should be a valid dictionary or object to extract fields from"
        raise RefusalError(422, [{"type": kind, "loc": list(place), "msg": message, "input": body}])
    values: dict[str, Any] = {}
    errors: list[dict[str, Any]] = []
    seen = 0
    for field in fields:
        name = field.name if field.name in body or not field.alias else field.alias
        if name not in body:
            values[field.name] = field.default
            if field.required:
                errors.append(_missing((*place, field.name), body))
            continue
        seen += 1
        try:
            values[field.name] = field.read(body[name])
        except InvalidError as error:
            errors.append(error.at((*place, name), body[name]))
    if seen != len(body):
        errors += _unknown(body, fields, place)
    if errors:
        raise RefusalError(422, errors)
    return values


def read_query(query: dict[str, list[str]], fields: tuple[Field, ...]) -> dict[str, Any]:
    """Read query parameters; the last of several values counts. Unknown ones are ignored. Raises RefusalError 422."""
    known = {field.name: query[field.name][-1] for field in fields if query.get(field.name)}
    lists = {field.name: query[field.name] for field in fields if field.read in _LISTS and query.get(field.name)}
    try:
        return read_object({**known, **lists}, fields, ("query",))
    except RefusalError as error:
        for entry in error.reply.body["detail"]:
            if entry["type"] == "missing":
                entry["input"] = None
        raise


def texts(values: Any) -> list[str]:
    """A query parameter that may be given several times."""
    return list(values)


def instants(values: Any) -> list[datetime]:
    """Several instants in a query."""
    return [instant(value) for value in values]


_LISTS: Final = (texts, instants)


def _missing(place: Place, body: Any) -> dict[str, Any]:
    return {"type": "missing", "loc": list(place), "msg": "Field required", "input": body}


def _unknown(body: dict[str, Any], fields: tuple[Field, ...], place: Place) -> list[dict[str, Any]]:
    names = {field.name for field in fields} | {field.alias for field in fields}
    refused = InvalidError("extra_forbidden", "Extra inputs are not permitted")
    return [refused.at((*place, name), value) for name, value in body.items() if name not in names]
