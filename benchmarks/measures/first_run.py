"""Decides how long the first run takes: from the start of the command in an empty home to the end of a run."""

from typing import TYPE_CHECKING, Any

from benchmarks.client import FINISHED, seconds, until
from benchmarks.outcome import Figure, Outcome
from benchmarks.session import Session

if TYPE_CHECKING:
    from benchmarks.measures import Measure

TIMEOUT_SECONDS = 120


def measure(session: Session, measure: "Measure") -> Outcome:
    """The DAG has the schedule ``@once``, so the platform starts its run as soon as it can."""
    run = until(lambda: _finished(session, measure.dag_id), TIMEOUT_SECONDS, "the first run")
    figure = Figure(
        "start of the command to the end of the first run", seconds(run["end_date"]) - session.platform.started_at, "s", 1
    )
    return Outcome([figure], failures=int(run["state"] != "success"))


def _finished(session: Session, dag_id: str) -> dict[str, Any] | None:
    found = session.client.answered(f"/api/v2/dags/{dag_id}/dagRuns") or {}
    return next((run for run in found.get("dag_runs", []) if run["state"] in FINISHED), None)
