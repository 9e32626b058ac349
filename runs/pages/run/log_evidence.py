"""Decides what the end of a log says about a failure: the error, the frame of the author's own code, the last lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from runs.logs import LogPathError, log_file, log_read
from runs.models import AttemptFields
from runs.pages.tracebacks import is_own

# Read of the end of a log: enough for a long traceback, little enough for a page with several failures.
TAIL_BYTES = 64 * 1024
LAST_LINES = 8
LONGEST_TEXT = 2000
AROUND = 2


@dataclass(frozen=True, slots=True)
class Frame:
    """A place in code."""

    filename: str
    line: int
    function: str

    @property
    def short(self) -> str:
        """``etl.py:27``."""
        return f"{self.filename.rpartition('/')[2]}:{self.line}"


@dataclass(frozen=True, slots=True)
class LogEvidence:
    """What the end of a log tells. ``lines`` are its last records."""

    exc_type: str = ""
    message: str = ""
    frame: Frame | None = None
    lines: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class CodeLine:
    """A line of the DAG file around the place of an error."""

    number: int
    text: str
    is_it: bool


def log_evidence(attempt: AttemptFields) -> LogEvidence:
    """Read the end of the log of an attempt; nothing where there is no log."""
    try:
        path = log_file(attempt)
        size = path.stat().st_size
    except (LogPathError, OSError):
        return LogEvidence()
    start = max(0, size - TAIL_BYTES)
    records = log_read(path, start, max_bytes=TAIL_BYTES).records
    return evidence_of(records[1:] if start and len(records) > 1 else records)


def evidence_of(records: Sequence[dict[str, Any]]) -> LogEvidence:
    """Return what records say; the last one with a traceback is the error."""
    lines = [record for record in records if not _is_frame_of_log(record)]
    error = next((found for record in reversed(records) if (found := _error(record))), None)
    if error is None:
        return LogEvidence(lines=lines[-LAST_LINES:])
    message = str(error.get("exc_value") or "")[:LONGEST_TEXT]
    return LogEvidence(str(error.get("exc_type") or ""), message, innermost(_list(error, "frames")), lines[-LAST_LINES:])


def _is_frame_of_log(record: dict[str, Any]) -> bool:
    """Whether a record says nothing of the task: marks of groups, and the last word of the supervisor."""
    return record.get("logger") == "supervisor" or str(record.get("event", "")).startswith(("::group::", "::endgroup::"))


def innermost(frames: Sequence[dict[str, Any]]) -> Frame | None:
    """Return the innermost frame of the author's own code, else the innermost of all."""
    own = [frame for frame in frames if is_own(frame)] or list(frames)
    return Frame(str(own[-1].get("filename", "?")), _line(own[-1].get("lineno")), str(own[-1].get("name", ""))) if own else None


def code_around(source: str, line: int) -> list[CodeLine]:
    """Return the line with its neighbours, without the indent that all have."""
    texts = source.splitlines()
    if not 0 < line <= len(texts):
        return []
    first, last = max(1, line - AROUND), min(len(texts), line + AROUND)
    while last > line and not texts[last - 1].strip():
        last -= 1
    some = texts[first - 1 : last]
    indent = min((len(text) - len(text.lstrip()) for text in some if text.strip()), default=0)
    return [CodeLine(first + place, text[indent:], first + place == line) for place, text in enumerate(some)]


def _error(record: dict[str, Any]) -> dict[str, Any] | None:
    found = record.get("error_detail")
    return found[0] if isinstance(found, list) and found and isinstance(found[0], dict) else None


def _list(error: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = error.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _line(value: Any) -> int:
    return value if isinstance(value, int) else 0
