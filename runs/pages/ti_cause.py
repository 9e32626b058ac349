"""Decides what a page says about why a try failed: the exception, the line of the author's code, and where the log has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dags_app.models import DagVersion
from runs.cause_words import cause_remedy, cause_words, is_of_platform, process_words
from runs.log_window import Window
from runs.models import AttemptFields
from runs.pages.ansi import plain_text
from runs.pages.tracebacks import own_frame

LONGEST_DETAIL = 2000
_AROUND = 2


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of the DAG's file near the fault."""

    number: int
    text: str
    is_fault: bool


@dataclass(frozen=True, slots=True)
class CauseShown:
    """Why a try ended badly, for people."""

    sentence: str
    detail: str
    remedy: str
    is_infrastructure: bool
    position: int | None
    frame: dict[str, Any] | None
    source: list[SourceLine]
    facts: list[str]


def cause_of(attempt: AttemptFields, window: Window) -> CauseShown | None:
    """Return why a try failed, with what the lines of the log at hand know about it; None where it did not."""
    if not attempt.cause or attempt.state == "success":
        return None
    line = next((line for line in reversed(window.lines) if line.record.get("error_detail")), None)
    frame = own_frame(line.record) if line else None
    return CauseShown(
        sentence=cause_words(attempt.cause),
        detail=plain_text(attempt.cause_detail or "")[:LONGEST_DETAIL],
        remedy=cause_remedy(attempt.cause),
        is_infrastructure=is_of_platform(attempt.cause),
        position=line.position if line else None,
        frame=frame,
        source=_source(attempt, frame) if frame else [],
        facts=[fact for fact in process_words(attempt) if not fact.startswith("on ")],
    )


def _source(attempt: AttemptFields, frame: dict[str, Any]) -> list[SourceLine]:
    """The lines around the fault, where it is in the DAG's own file."""
    number = frame.get("lineno")
    named = ("code__source_code", "dag__relative_fileloc")
    found = DagVersion.objects.filter(pk__in=[attempt.dag_version_id]).values_list(*named).first()
    if not found or not found[0] or not isinstance(number, int) or not str(frame.get("filename")).endswith(f"/{found[1]}"):
        return []
    lines = found[0].splitlines()
    first = max(1, number - _AROUND)
    shown = enumerate(lines[first - 1 : number + _AROUND], first)
    return [SourceLine(at, text, at == number) for at, text in shown] if number <= len(lines) else []
