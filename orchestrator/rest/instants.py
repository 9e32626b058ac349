"""Decides which texts and JSON values are an instant or a calendar day for the API: ISO, or seconds since 1970, as in Airflow."""

import re
from datetime import UTC, date, datetime, time
from typing import Any

from orchestrator.rest.errors import ProblemError

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}$")
_INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2})[T_ t](\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,6})?)?)\d*\s*([Zz]|[+-]\d{2}:?\d{2})?$")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)$", re.ASCII)
# A larger number is one of milliseconds.
_MOST_SECONDS = 2e10


def instant(value: Any) -> datetime:
    """Take an ISO instant or date, or epoch seconds; one without a zone is UTC."""
    parsed = _instant(value)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def aware_instant(value: Any) -> datetime:
    """Take an ISO instant that names its zone, or epoch seconds."""
    parsed = _instant(value)
    if parsed.tzinfo is None:
        raise ProblemError("timezone_aware", "Input should have timezone info")
    return parsed


def day(value: Any) -> date:
    """Take a calendar day, or an instant at the very beginning of one."""
    try:
        parsed = _instant(value)
    except ProblemError as problem:
        message = problem.message.replace("datetime or date", "date or datetime")
        raise ProblemError("date_from_datetime_parsing", message, problem.context) from problem
    if parsed.time() != time.min:
        raise ProblemError(
            "date_from_datetime_inexact", "Input should be a valid date, the instant is not the beginning of a day"
        )
    return parsed.date()


def _instant(value: Any) -> datetime:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ProblemError("datetime_type", "Input should be a valid datetime")
    try:
        if not isinstance(value, str) or _NUMBER.match(value):
            return _since_1970(float(value))
        if _DATE.match(value):
            given = date.fromisoformat(value)
            return datetime(given.year, given.month, given.day)
        # A plus sign that a client did not escape arrives as a blank.
        found = _INSTANT.match(value.replace(" ", "+") if "T" in value else value)
        if found:
            return datetime.fromisoformat(f"{found[1]}T{found[2].replace(',', '.')}{(found[3] or '').upper()}")
    except (ValueError, OverflowError, OSError) as error:
        raise _not_an_instant(value) from error
    raise _not_an_instant(value)


def _since_1970(number: float) -> datetime:
    return datetime.fromtimestamp(number if abs(number) <= _MOST_SECONDS else number / 1000, UTC)


def _not_an_instant(value: Any) -> ProblemError:
    why = "input is too short" if len(str(value)) < 10 else "invalid character in year"
    return ProblemError("datetime_from_date_parsing", f"Input should be a valid datetime or date, {why}", {"error": why})
