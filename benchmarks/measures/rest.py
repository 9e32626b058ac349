"""Decides how long the REST API takes for a page of 100 task instances."""

import time
from statistics import median, quantiles
from typing import TYPE_CHECKING

from benchmarks.measures.runs import measure_throughput
from benchmarks.outcome import Figure, Outcome
from benchmarks.session import Session

if TYPE_CHECKING:
    from benchmarks.measures import Measure

TIMES = 30


def measure(session: Session, measure: "Measure") -> Outcome:
    """One request after the other, one connection each, after a run of 100 tasks."""
    driven = measure_throughput(session, measure)
    path = f"/api/v2/dags/{measure.dag_id}/dagRuns/~/taskInstances?limit=100"
    session.client.get(path)
    took = [_milliseconds(session, path) for _ in range(TIMES)]
    figures = [
        Figure("REST page of 100 task instances, p50", median(took), "ms", 1),
        Figure("REST page of 100 task instances, p95", quantiles(took, n=20, method="inclusive")[18], "ms", 1),
    ]
    return Outcome(figures, failures=driven.failures)


def _milliseconds(session: Session, path: str) -> float:
    began = time.monotonic()
    session.client.get(path)
    return 1000 * (time.monotonic() - began)
