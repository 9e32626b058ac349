"""Decides what people read for the cause of a failure, and what they can do about it."""

from __future__ import annotations

from runs.causes import INFRA_CAUSES, Cause
from runs.models import AttemptFields

_MIB = 1024

# cause -> (what happened, what helps)
_WORDS: dict[str, tuple[str, str]] = {
    Cause.USER_EXCEPTION: ("The task raised an exception", ""),
    Cause.FAIL_EXCEPTION: ("The task said that it failed for good", ""),
    Cause.SKIP: ("The task said that it is to be skipped", ""),
    Cause.EXECUTION_TIMEOUT: ("The task took longer than its execution_timeout", "Give it more time, or less to do."),
    Cause.EXIT_CODE: ("The process of the task ended by itself", ""),
    Cause.SIGNAL: (
        "The process of the task was ended by a signal",
        "Somebody or something on its machine sent it.",
    ),
    Cause.OUT_OF_MEMORY: ("The kernel killed the task because memory ran out", "Give it more memory, or smaller pieces of work."),
    Cause.DAG_IMPORT_ERROR: ("The DAG file could not be imported by the worker", "See that what it imports is installed there."),
    Cause.DAG_NOT_FOUND: ("The DAG file that the worker read does not define this DAG", "See the version of the bundle."),
    Cause.TASK_NOT_FOUND: ("The DAG that the worker read has no such task", "See the version of the bundle."),
    Cause.HOST_DIED: ("The machine of the worker died", "The platform tries again by itself."),
    Cause.SUPERVISOR_DIED: ("The process that watches the task died", "The platform tries again by itself."),
    Cause.EVICTED: ("The task was evicted from its machine", "The platform tries again by itself."),
    Cause.LEASE_LOST: ("The worker lost its lease on the task", "See the network between worker and server."),
    Cause.LAUNCH_ERROR: ("The worker could not start the task", "See the log of the executor."),
    Cause.LAUNCH_IMPOSSIBLE: ("No executor can start the task", "See the executor and the queue of the task."),
    Cause.QUEUE_TIMEOUT: ("The task waited too long in its queue", "See that a worker serves the queue."),
    Cause.DAGRUN_TIMEOUT: ("The run took longer than its dagrun_timeout", "Give the run more time."),
    Cause.CLEARED: ("The try was cleared", ""),
    Cause.MARKED: ("A person marked it so", ""),
    Cause.VERSION_CHANGED: ("The DAG changed while the task waited", ""),
    Cause.HEARTBEAT_TIMEOUT: ("The heartbeat of the task was lost", "See the machine of the worker and its network."),
    Cause.REPORT_LOST: ("The task ended, but its report never arrived", "See the network between worker and server."),
}


def cause_words(cause: str | None) -> str:
    """Return what happened, in words."""
    return _WORDS.get(cause or "", (("It failed; nobody stored why" if not cause else cause.replace("_", " ")), ""))[0]


def cause_remedy(cause: str | None) -> str:
    """Return what helps against it; empty where the error itself must say so."""
    return _WORDS.get(cause or "", ("", ""))[1]


def is_of_platform(cause: str | None) -> bool:
    """Whether the platform is to blame, and not what the author wrote."""
    return cause in INFRA_CAUSES


def process_words(attempt: AttemptFields) -> list[str]:
    """Return what is known of the end of its process: exit code, signal, memory, host."""
    facts = []
    if attempt.exit_code:
        facts.append(f"exit code {attempt.exit_code}")
    if attempt.signal:
        facts.append(f"signal {attempt.signal}")
    if attempt.peak_rss_kb:
        facts.append(f"peak memory {attempt.peak_rss_kb / _MIB:.0f} MiB")
    if attempt.hostname:
        facts.append(f"on {attempt.hostname}")
    return facts
