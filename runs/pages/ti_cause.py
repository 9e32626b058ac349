"""Decides what a page says about why a try failed: the exception, the line of the author's code, and where the log has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dags_app.models import DagVersion
from runs.causes import INFRA_CAUSES
from runs.log_window import Window
from runs.models import AttemptFields
from runs.pages.ansi import plain_text
from runs.pages.tracebacks import own_frame

LONGEST_DETAIL = 2000
_AROUND = 2
_SENTENCES = {
    "user_exception": "The task's code raised an exception",
    "fail_exception": "The task asked to fail without another try",
    "skip": "The task asked to be skipped",
    "execution_timeout": "The task ran longer than its execution_timeout",
    "exit_code": "The task's process ended with an error code",
    "signal": "The task's process was ended by a signal",
    "out_of_memory": "The task's process was killed: no memory was left",
    "dag_import_error": "The DAG file could not be imported by the worker",
    "dag_not_found": "The worker did not find the DAG in its file",
    "task_not_found": "The worker did not find the task in the DAG",
    "host_died": "The machine of the worker was lost",
    "supervisor_died": "The worker's supervisor died",
    "evicted": "The worker was evicted",
    "lease_lost": "The worker lost touch with the server, and the try was given up",
    "heartbeat_timeout": "The task gave no sign of life for too long",
    "launch_error": "The worker could not start the task's process",
    "launch_impossible": "No worker can ever start the task",
    "queue_timeout": "No worker began the task in time",
    "dagrun_timeout": "The run took longer than its dagrun_timeout",
    "cleared": "The try was cleared by a person",
    "marked": "A person set the state",
    "version_changed": "The task left the DAG with a newer version",
    "report_lost": "The worker's report of the end was lost",
}


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
    is_infrastructure: bool
    position: int | None
    frame: dict[str, Any] | None
    source: list[SourceLine]
    memory: str


def sentence_of(cause: str) -> str:
    """Return what a cause means."""
    return _SENTENCES.get(cause, cause.replace("_", " "))


def cause_of(attempt: AttemptFields, window: Window) -> CauseShown | None:
    """Return why a try failed, with what the lines of the log at hand know about it; None where it did not."""
    if not attempt.cause or attempt.state == "success":
        return None
    line = next((line for line in reversed(window.lines) if line.record.get("error_detail")), None)
    frame = own_frame(line.record) if line else None
    detail = plain_text(attempt.cause_detail or "")[:LONGEST_DETAIL]
    is_infrastructure = attempt.cause in INFRA_CAUSES
    source = _source(attempt, frame) if frame else []
    memory = f"{attempt.peak_rss_kb / 1024:.0f} MB" if attempt.peak_rss_kb else ""
    return CauseShown(
        sentence_of(attempt.cause), detail, is_infrastructure, line.position if line else None, frame, source, memory
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
