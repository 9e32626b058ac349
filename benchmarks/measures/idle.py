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
    before = session.processor_times()
    time.sleep(session.idle_seconds)
    used = sum(session.processor_times().since(before).values())
    memory = memory_mb(session.platform.pids())
    figures = [
        Figure("memory idle (PSS of all processes)", sum(size for _count, size in memory.values()), "MB"),
        Figure("processes idle", sum(count for count, _size in memory.values()), ""),
        Figure("processor time idle", 100 * used / session.idle_seconds, "% of a core", 1),
    ]
    return Outcome(figures, memory=memory)
