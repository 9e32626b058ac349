"""Decides how long a changed or new DAG file takes until the REST API shows it."""

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
NEW_DAG = "new_1"


def measure(session: Session, measure: "Measure") -> Outcome:
    """The change is the DAG's description; a change is made only after the one before it was seen."""
    _wait(session, measure.dag_id, "unchanged")
    times = TIMES_OURS if session.platform.is_ours else TIMES_PEER
    took = [_change(session, measure.dag_id, f"change {number}") for number in range(times)]
    return Outcome([Figure("changed DAG file to visible version, median", median(took), "s", 2)])


def measure_new(session: Session, measure: "Measure") -> Outcome:
    """A file that was not there before; Airflow looks for new files every 300 s, so the figure depends on luck there."""
    return Outcome([Figure("new DAG file to visible DAG", _change(session, NEW_DAG, "new"), "s", 2)])


def _change(session: Session, dag_id: str, mark: str) -> float:
    began = time.monotonic()
    session.platform.install(dag_id, mark)
    _wait(session, dag_id, mark)
    return time.monotonic() - began


def _wait(session: Session, dag_id: str, mark: str) -> None:
    path = f"/api/v2/dags/{dag_id}"
    until(lambda: (session.client.answered(path) or {}).get("description") == mark, TIMEOUT_SECONDS, f"{mark!r} of {dag_id}")
