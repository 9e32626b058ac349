"""Decides how long a saved change of a DAG file takes until the REST API shows it."""

import time
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.client import until
from benchmarks.outcome import Figure, Outcome
from benchmarks.session import Session

if TYPE_CHECKING:
    from benchmarks.measures import Measure

TIMEOUT_SECONDS = 400
TIMES_OURS = 5
TIMES_PEER = 2


def measure(session: Session, measure: "Measure") -> Outcome:
    """The change is the DAG's description; a change is made only after the one before it was seen."""
    _wait(session, measure.dag_id, "unchanged")
    times = TIMES_OURS if session.platform.is_ours else TIMES_PEER
    took = [_change(session, measure.dag_id, f"change {number}") for number in range(times)]
    return Outcome([Figure("saved DAG file to visible version, median", median(took), "s", 2)])


def _change(session: Session, dag_id: str, mark: str) -> float:
    began = time.monotonic()
    session.platform.install(dag_id, mark)
    _wait(session, dag_id, mark)
    return time.monotonic() - began


def _wait(session: Session, dag_id: str, mark: str) -> None:
    path = f"/api/v2/dags/{dag_id}"
    until(lambda: (session.client.answered(path) or {}).get("description") == mark, TIMEOUT_SECONDS, f"{mark!r} of {dag_id}")
