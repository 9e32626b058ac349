"""Decides what is counted of the processes that parse files, where somebody takes it."""

from __future__ import annotations

from orchestrator.kernel.telemetry import count, is_on
from orchestrator.sdk.parsing.protocol import ParseResponse


def count_look() -> None:
    """Count a look at the bundles that found files to parse."""
    count("dag_processing.file_path_queue_update_count")


def count_start(relative: str) -> None:
    """Count a file that is handed to a parse process."""
    if is_on():
        count("dag_processing.processes", 1, file_path=relative, action="start")


def count_answer(relative: str, response: ParseResponse) -> None:
    """Count the end of a parse process, and that it was stopped where it took too long."""
    if not is_on():
        return
    count("dag_processing.processes", -1, file_path=relative, action="timeout" if response.timed_out else "stop")
    if response.timed_out:
        count("dag_processing.processor_timeouts", file_path=relative)
