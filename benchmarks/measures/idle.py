"""Decides what the platform takes while nothing happens: memory of all its processes, and processor time."""

import time
from typing import TYPE_CHECKING

from benchmarks.measures.first_run import measure as wait_for_first_run
from benchmarks.outcome import Figure, Outcome
from benchmarks.processes import memory_mb
from benchmarks.session import Session

if TYPE_CHECKING:
    from benchmarks.measures import Measure


def measure(session: Session, measure: "Measure") -> Outcome:
    """Memory is the sum of the proportional set sizes, so shared pages count once. The database server is not counted."""
    wait_for_first_run(session, measure)
    return _rest(session, "idle")


def measure_after_load(session: Session, measure: "Measure") -> Outcome:
    """The same after the runs before it, when every worker process that is kept is there."""
    return _rest(session, "idle after load")


def _rest(session: Session, when: str) -> Outcome:
    before = session.processor_times()
    time.sleep(session.idle_seconds)
    used = sum(session.processor_times().since(before).values())
    memory = memory_mb(session.platform.pids())
    figures = [
        Figure(f"memory {when} (PSS of all processes)", sum(size for _count, size in memory.values()), "MB"),
        Figure(f"processes {when}", sum(count for count, _size in memory.values()), ""),
        Figure(f"processor time {when}", 100 * used / session.idle_seconds, "% of a core", 1),
    ]
    return Outcome(figures, memory=memory)
