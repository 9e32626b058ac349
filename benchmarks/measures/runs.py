"""Decides how a run is driven and what its length and the instants of its tasks say."""

import time
from itertools import pairwise
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from benchmarks.client import seconds, until
from benchmarks.outcome import Figure, Outcome
from benchmarks.session import Session

if TYPE_CHECKING:
    from benchmarks.measures import Measure

VISIBLE_SECONDS = 400


class RunUnfinishedError(TimeoutError):
    """A run did not end in time; ``failures`` tasks of it have not succeeded by then."""

    def __init__(self, failures: int, message: str) -> None:
        super().__init__(message)
        self.failures = failures


def measure_throughput(session: Session, measure: "Measure") -> Outcome:
    """Tasks per second from the request that starts the run until its end."""
    outcome, wall, _run = _drive(session, measure)
    outcome.figures.append(Figure(f"throughput, {measure.tasks:,} independent no-op tasks", measure.tasks / wall, "tasks/s", 1))
    return outcome


def measure_cost(session: Session, measure: "Measure") -> Outcome:
    """Milliseconds per task of one run: its length divided by its tasks."""
    outcome, wall, _run = _drive(session, measure)
    shape, size = measure.name.split("_")
    text = "fan-out and fan-in" if shape == "fan" else "mapped task"
    outcome.figures.append(Figure(f"cost per task, {text} of {int(size):,}", 1000 * wall / measure.tasks, "ms", 2))
    return outcome


def measure_gaps(session: Session, measure: "Measure") -> Outcome:
    """Milliseconds from the end of one task to the start of the next."""
    outcome, _wall, run_id = _drive(session, measure)
    ordered = sorted(session.client.task_instances(measure.dag_id, run_id), key=lambda one: seconds(one["start_date"]))
    gaps = [1000 * (seconds(later["start_date"]) - seconds(earlier["end_date"])) for earlier, later in pairwise(ordered)]
    name = f"gap in a chain of {measure.tasks:,}"
    outcome.figures.append(Figure(f"{name}, median", median(gaps), "ms", 1))
    outcome.figures.append(Figure(f"{name}, p99", quantiles(gaps, n=100, method="inclusive")[98], "ms", 1))
    return outcome


def _drive(session: Session, measure: "Measure") -> tuple[Outcome, float, str]:
    """Run the DAG once; return the outcome without figures, the seconds it took and the run's id."""
    client, dag_id = session.client, measure.dag_id
    until(lambda: client.answered(f"/api/v2/dags/{dag_id}"), VISIBLE_SECONDS, f"DAG {dag_id} to be visible")
    before = session.processor_times()
    began = time.time()
    run_id = client.trigger(dag_id)
    try:
        run = client.finished_run(dag_id, run_id, session.timeout(measure.tasks))
    except TimeoutError as error:
        failures = measure.tasks - client.count(dag_id, run_id, "success")
        raise RunUnfinishedError(failures, f"{error}: {failures} of {measure.tasks} tasks have not succeeded") from error
    used = session.processor_times().since(before)
    failures = measure.tasks - client.count(dag_id, run_id, "success")
    return Outcome([], failures, processor=_per_task(used, measure)), _end(run) - began, run_id


def _end(run: dict[str, Any]) -> float:
    return seconds(run["end_date"])


def _per_task(used: dict[str, float], measure: "Measure") -> dict[str, float]:
    return {name: 1000 * amount / measure.tasks for name, amount in used.items()}
