"""Decides how an exception with its traceback, causes and group members is written into a log record."""

from __future__ import annotations

import traceback
from typing import Any

MAX_FRAMES = 200
MAX_TEXT = 20_000  # characters of an exception's text


def error_detail(error: BaseException) -> list[dict[str, Any]]:
    """Return the exception, then what caused it, then what was being handled, as JSON types."""
    found: list[dict[str, Any]] = []
    seen: set[int] = set()
    current: BaseException | None = error
    is_cause = False
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        found.append(_one(current, is_cause))
        is_cause = current.__cause__ is not None
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return found


def _one(error: BaseException, is_cause: bool) -> dict[str, Any]:
    group = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return {
        "exc_type": type(error).__name__,
        "exc_value": text_of(error),
        "exc_notes": [str(note) for note in getattr(error, "__notes__", ())],
        "syntax_error": _syntax_error(error),
        "is_cause": is_cause,
        "frames": _frames(error),
        "is_group": bool(group),
        "exceptions": [error_detail(member) for member in group],
    }


def text_of(error: BaseException) -> str:
    """Return the exception's text; one whose ``__str__`` raises says so."""
    try:
        return str(error)[:MAX_TEXT]
    except Exception as broken:
        return f"<{type(error).__name__}: its str() raises {type(broken).__name__}>"


def _frames(error: BaseException) -> list[dict[str, Any]]:
    frames = traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__), lookup_lines=False)
    kept = list(frames) if len(frames) <= MAX_FRAMES else [*frames[: MAX_FRAMES // 2], *frames[-MAX_FRAMES // 2 :]]
    return [{"filename": frame.filename, "lineno": frame.lineno, "name": frame.name} for frame in kept]


def _syntax_error(error: BaseException) -> dict[str, Any] | None:
    if not isinstance(error, SyntaxError):
        return None
    return {
        "offset": error.offset or 0,
        "filename": error.filename or "?",
        "line": error.text or "",
        "lineno": error.lineno or 0,
        "msg": error.msg,
    }
