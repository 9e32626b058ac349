"""Decides which texts and JSON values the API takes for a number, a switch, an instant or a choice."""

import re
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any

from orchestrator.json_given import check_keepable
from orchestrator.rest.errors import ProblemError

Parser = Callable[[Any], Any]

_TRUE = frozenset({"1", "on", "t", "true", "y", "yes"})
_FALSE = frozenset({"0", "off", "f", "false", "n", "no"})
# What a database can compare without an overflow.
_LARGEST = 2**63 - 1
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}$")
_INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2})[T_ t](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)\d*\s*([Zz]|[+-]\d{2}:?\d{2})?$")


def text(value: Any) -> str:
    """Take a text; NUL is refused, no database keeps it."""
    if not isinstance(value, str):
        raise ProblemError("string_type", "Input should be a valid string")
    if "\x00" in value:
        raise ProblemError("value_error", "Value error, NUL characters are not allowed")
    return value


def text_up_to(longest: int) -> Parser:
    """Return a parser for a text of at most so many characters."""

    def parse(value: Any) -> str:
        if len(text(value)) > longest:
            message = f"String should have at most {longest} characters"
            raise ProblemError("string_too_long", message, {"max_length": longest})
        return str(value)

    return parse


def text_like(pattern: str, longest: int) -> Parser:
    """Return a parser for a text of at most so many characters that fits a regular expression; ``$`` is its very end."""
    shape, short = re.compile(re.sub(r"\$$", r"\\Z", pattern)), text_up_to(longest)

    def parse(value: Any) -> str:
        if not shape.search(short(value)):
            raise ProblemError("string_pattern_mismatch", f"String should match pattern '{pattern}'", {"pattern": pattern})
        return str(value)

    return parse


def integer(value: Any) -> int:
    """Take a whole number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ProblemError("int_type", "Input should be a valid integer")
    try:
        number = int(value)
    except (ValueError, OverflowError) as error:
        message = "Input should be a valid integer, unable to parse string as an integer"
        raise ProblemError("int_parsing", message) from error
    if abs(number) > _LARGEST:
        raise ProblemError("int_parsing_size", "Unable to parse input string as an integer, exceeded maximum size")
    return number


def at_least(lowest: int) -> Parser:
    """Return a parser for a whole number that is not below ``lowest``."""

    def parse(value: Any) -> int:
        number = integer(value)
        if number < lowest:
            raise ProblemError("greater_than_equal", f"Input should be greater than or equal to {lowest}", {"ge": lowest})
        return number

    return parse


def integer_within(lowest: int, highest: int) -> Parser:
    """Return a parser for a whole number from ``lowest`` to ``highest``."""
    low = at_least(lowest)

    def parse(value: Any) -> int:
        number: int = low(value)
        if number > highest:
            raise ProblemError("less_than_equal", f"Input should be less than or equal to {highest}", {"le": highest})
        return number

    return parse


def number(value: Any) -> float:
    """Take a finite or infinite number, not NaN."""
    try:
        parsed = float(value)
    except (TypeError, ValueError) as error:
        message = "Input should be a valid number, unable to parse string as a number"
        raise ProblemError("float_parsing", message) from error
    if parsed != parsed:
        raise ProblemError("finite_number", "Input should be a finite number")
    return parsed


def switch(value: Any) -> bool:
    """Take true or false in the words that Airflow takes."""
    if isinstance(value, bool):
        return value
    word = str(value).lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ProblemError("bool_parsing", "Input should be a valid boolean, unable to interpret input")


def choice(*allowed: str, kind: str = "enum") -> Parser:
    """Return a parser for one of a few words; ``kind`` is ``enum`` or ``literal_error``."""
    quoted = [f"'{word}'" for word in allowed]
    expected = quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"

    def parse(value: Any) -> str:
        if value in allowed:
            return str(value)
        raise ProblemError(kind, f"Input should be {expected}", {"expected": expected})

    return parse


def instant(value: Any) -> datetime:
    """Take an ISO instant or date, or epoch seconds; one without a zone is UTC."""
    parsed = _instant(value)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def aware_instant(value: Any) -> datetime:
    """Take an ISO instant that names its zone."""
    parsed = _instant(value)
    if parsed.tzinfo is None:
        raise ProblemError("timezone_aware", "Input should have timezone info")
    return parsed


def dictionary(value: Any) -> dict[str, Any]:
    """Take a JSON object that every database can keep."""
    if not isinstance(value, dict):
        raise ProblemError("dict_type", "Input should be a valid dictionary")
    try:
        check_keepable(value)
    except ValueError as error:
        raise ProblemError("value_error", f"Value error, {error}") from error
    return value


def identifier(value: Any) -> uuid.UUID:
    """Take a UUID."""
    try:
        return uuid.UUID(str(value))
    except ValueError as error:
        raise ProblemError("uuid_parsing", "Input should be a valid UUID", {"error": str(error)}) from error


def word_list(names: Iterable[str]) -> str:
    """Return words as Airflow lists them in its own sentences."""
    return ", ".join(names)


def _instant(value: Any) -> datetime:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str) and _DATE.match(value):
            day = date.fromisoformat(value)
            return datetime(day.year, day.month, day.day)
        # A plus sign that a client did not escape arrives as a blank.
        found = _INSTANT.match(value.replace(" ", "+") if "T" in value else value)
        if found:
            return datetime.fromisoformat(f"{found[1]}T{found[2]}{(found[3] or '').upper()}")
    except (ValueError, OverflowError, OSError, AttributeError, TypeError) as error:
        raise _not_an_instant(value) from error
    raise _not_an_instant(value)


def _not_an_instant(value: Any) -> ProblemError:
    why = "input is too short" if len(str(value)) < 10 else "invalid character in year"
    return ProblemError("datetime_from_date_parsing", f"Input should be a valid datetime or date, {why}", {"error": why})
