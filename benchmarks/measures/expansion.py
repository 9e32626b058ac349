"""Decides how long a mapped task takes to get its indexes from a result, and what a DAG beside it notices."""

import time
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.client import seconds, until
from benchmarks.outcome import Figure, Outcome
from benchmarks.session import Session

if TYPE_CHECKING:
    from benchmarks.measures import Measure

VISIBLE_SECONDS = 400
LONGEST_SECONDS = 120
RUNNING_TASKS = 10  # of the chain beside, before the expansion begins


def measure(session: Session, measure: "Measure") -> Outcome:
    """Seconds from the end of the task above to the last of the indexes; the longest gap of a chain that runs beside it.

    The indexes run one at a time, and the run is given up when all are there.
    """
    client, dag_id = session.client, measure.dag_id
    beside = f"{dag_id}_beside"
    until(lambda: client.answered(f"/api/v2/dags/{beside}"), VISIBLE_SECONDS, f"DAG {beside} to be visible")
    beside_run = client.trigger(beside)
    until(lambda: client.count(beside, beside_run, "success") >= RUNNING_TASKS, VISIBLE_SECONDS, "the chain to run")
    run_id = client.trigger(dag_id)
    path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"
    instances = f"{path}/taskInstances?task_id=mapped&limit=1"
    until(lambda: client.get(instances)["total_entries"] >= measure.tasks, LONGEST_SECONDS, "all indexes")
    ended = time.time()
    began = seconds(client.get(f"{path}/taskInstances/numbers")["end_date"])
    client.finished_run(beside, beside_run, session.timeout(100))
    ordered = sorted(client.task_instances(beside, beside_run), key=lambda one: seconds(one["start_date"]))
    gaps = [1000 * (seconds(later["start_date"]) - seconds(earlier["end_date"])) for earlier, later in pairwise(ordered)]
    client._call("PATCH", path, {"state": "failed"})
    outcome = Outcome([], 0)
    outcome.figures.append(Figure(f"expansion over a result of {measure.tasks:,}", ended - began, "s", 2))
    outcome.figures.append(Figure("gap in a chain beside the expansion, median", median(gaps), "ms", 1))
    outcome.figures.append(Figure("gap in a chain beside the expansion, longest", max(gaps), "ms", 1))
    return outcome
