"""Decides which JSON somebody may give as a configuration or a value: what every database can keep, nested not too deep."""

from __future__ import annotations

import json
import math
import re
from typing import Any

# NUL and halves of a pair: PostgreSQL takes no JSON with these in its texts.
_NOT_KEPT = re.compile("[\x00\ud800-\udfff]")
_DEEPEST = 100


class ValueUnreadableError(ValueError):
    """What was given is no value of its kind; the text says what would be one."""


def conf_given(value: Any) -> dict[str, Any]:
    """Return a configuration given as a JSON object or as its text. Raises ``ValueUnreadableError``."""
    if isinstance(value, str):
        return conf_of_text(value)
    try:
        check_keepable(value)
    except ValueError as error:
        raise ValueUnreadableError(f"This cannot be kept: {error}") from error
    return _object(value)


def conf_of_text(text: str) -> dict[str, Any]:
    """Return a configuration written as JSON; no text means an empty one. Raises ``ValueUnreadableError``."""
    if not text.strip():
        return {}
    try:
        conf = json_given(text)
    except (ValueError, RecursionError) as error:
        raise ValueUnreadableError(f"This is no JSON: {error}") from error
    return _object(conf)


def json_given(text: str) -> Any:
    """Return the value that a JSON text means, if a database can keep it. Raises ``ValueError`` or ``RecursionError``."""
    value = json.loads(text, parse_constant=finite, parse_float=finite)
    check_keepable(value)
    return value


def finite(text: str) -> float:
    """Return the number that a text means. Raises ``ValueError`` for none, NaN and what is too large."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number that can be kept")
    return number


def check_keepable(value: Any, depth: int = 0) -> None:
    """Check what stands ``depth`` levels deep in a value that was read from JSON. Raises ``ValueError``, which says why not."""
    if depth > _DEEPEST:
        raise ValueError(f"it is nested more than {_DEEPEST} levels deep")
    if isinstance(value, float):
        finite(str(value))
    if isinstance(value, str) and _NOT_KEPT.search(value):
        raise ValueError("a text in it has a character that cannot be kept, such as NUL")
    if isinstance(value, dict | list):
        for item in value if isinstance(value, list) else (*value, *value.values()):
            check_keepable(item, depth + 1)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueUnreadableError('A configuration is a JSON object, such as {"name": "value"}.')
    return value
