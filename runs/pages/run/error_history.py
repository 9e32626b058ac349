"""Decides what is said of an error's past: new, or since which run; and where else the same error is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from runs.fingerprints import fingerprint
from runs.models import DagRun
from runs.pages.run.failure_facts import FailureFacts
from runs.pages.run.failures import Failure
from runs.states import DAG_RUN_FINISHED

RUNS = 20
# Instances that are read at most, as far as one can tell: of a task with ten thousand indexes fewer runs are looked at.
MOST_INSTANCES = 20_000
FEWEST_RUNS = 2


@dataclass(frozen=True, slots=True)
class History:
    """The past of a failure. ``first`` is the run in which it came first, without a break; ``streak`` counts them."""

    streak: int
    first: DagRun | None
    looked_at: int
    earlier: int
    other_errors: int
    dags: Sequence[str]

    @property
    def is_new(self) -> bool:
        """Whether none of the runs looked at failed so."""
        return not self.earlier


def looked_at(earlier: Sequence[DagRun], instances: int) -> list[DagRun]:
    """Return the runs in which an error is looked for.

    Args:
        earlier: the runs before, newest first.
        instances: how many instances the tasks have that failed.
    """
    number = max(FEWEST_RUNS, min(RUNS, MOST_INSTANCES // max(instances, 1)))
    return [other for other in earlier if other.state in DAG_RUN_FINISHED][:number]


def histories(run: DagRun, failures: Sequence[Failure], runs: Sequence[DagRun], facts: FailureFacts) -> dict[str, History]:
    """Return the past of each failure by its fingerprint; ``runs``: those that were looked at."""
    of_runs = _by_run(facts)
    elsewhere = _elsewhere(run.dag_id, facts)
    return {failure.fingerprint: _history(failure, runs, of_runs, elsewhere) for failure in failures}


def _history(
    failure: Failure, runs: Sequence[DagRun], of_runs: dict[int, set[tuple[str, str]]], elsewhere: dict[str, set[str]]
) -> History:
    is_same = [failure.fingerprint in {key for key, _ in of_runs[other.pk]} for other in runs]
    streak = next((place for place, same in enumerate(is_same) if not same), len(is_same))
    tasks = set(failure.task_ids)
    others = sum(
        not same and any(task in tasks for _, task in of_runs[other.pk]) for other, same in zip(runs, is_same, strict=True)
    )
    first = runs[streak - 1] if streak else None
    return History(streak, first, len(runs), sum(is_same), others, sorted(elsewhere[failure.fingerprint]))


def _by_run(facts: FailureFacts) -> dict[int, set[tuple[str, str]]]:
    found: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for task_id, cause, text, run_pk in facts.before or ():
        found[run_pk].add((fingerprint(cause, text, task_id), task_id))
    return found


def _elsewhere(dag_id: str, facts: FailureFacts) -> dict[str, set[str]]:
    """Return the other DAGs of which the newest failures have a fingerprint."""
    found: dict[str, set[str]] = defaultdict(set)
    for task_id, cause, text, other in facts.elsewhere or ():
        if other != dag_id:
            found[fingerprint(cause, text, task_id)].add(other)
    return found
