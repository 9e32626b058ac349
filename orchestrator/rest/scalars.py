"""Decides which texts and JSON values the API takes for a number, a switch or a choice; ``instants`` has those for a time."""

import re
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from orchestrator.json_given import check_keepable
from orchestrator.rest.errors import ProblemError
from orchestrator.rest.instants import aware_instant as aware_instant
from orchestrator.rest.instants import instant as instant

Parser = Callable[[Any], Any]

_TRUE = frozenset({"1", "on", "t", "true", "y", "yes"})
_FALSE = frozenset({"0", "off", "f", "false", "n", "no"})
# What a database can compare without an overflow.
_LARGEST = 2**63 - 1


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
    if isinstance(value, float) and not value.is_integer():
        raise ProblemError("int_from_float", "Input should be a valid integer, got a number with a fractional part")
    try:
        number = int(value.encode("ascii") if isinstance(value, str) else value)
    except (ValueError, OverflowError) as error:
        message = "Input should be a valid integer, unable to parse string as an integer"
        raise ProblemError("int_parsing", message) from error
    if abs(number) > _LARGEST:
        raise ProblemError("int_parsing_size", "Unable to parse input string as an integer, exceeded maximum size")
    return number


def capped(value: Any) -> int:
    """Take a whole number that is not negative; one that no database can compare stands for the largest that it can."""
    try:
        return int(at_least(0)(value))
    except ProblemError as problem:
        if problem.kind != "int_parsing_size" or str(value).lstrip().startswith("-"):
            raise
        return _LARGEST


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
    if not isinstance(value, str | int | float):
        raise ProblemError("bool_type", "Input should be a valid boolean")
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
