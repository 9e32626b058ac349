"""Decides what is said of an error's past: new, or since which run; and where else the same error is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models.functions import Substr

from runs.fingerprints import LOOKED_AT, fingerprint
from runs.models import DagRun, TaskInstance
from runs.pages.run.failures import Failure
from runs.states import DAG_RUN_FINISHED
from runs.states import TaskInstanceState as S

RUNS = 20
# Instances that are read at most, as far as one can tell: of a task with ten thousand indexes fewer runs are looked at.
MOST_INSTANCES = 20_000
FEWEST_RUNS = 2
MOST_ROWS = 1000
# The newest failures of all DAGs that are looked at for the same error.
NEWEST_FAILURES = 200


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


def histories(run: DagRun, failures: Sequence[Failure], earlier: Sequence[DagRun], instances: int) -> dict[str, History]:
    """Return the past of each failure by its fingerprint; two queries, whatever failed.

    Args:
        run: the run of the failures.
        failures: what failed.
        earlier: the runs before, newest first.
        instances: how many instances the tasks have that failed.
    """
    if not failures:
        return {}
    number = max(FEWEST_RUNS, min(RUNS, MOST_INSTANCES // max(instances, 1)))
    runs = [other for other in earlier if other.state in DAG_RUN_FINISHED][:number]
    of_runs = _by_run(run.dag_id, {task_id for failure in failures for task_id in failure.task_ids[:5]}, runs)
    elsewhere = _elsewhere(run.dag_id)
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


def _by_run(dag_id: str, task_ids: Collection[str], runs: Sequence[DagRun]) -> dict[int, set[tuple[str, str]]]:
    found: dict[int, set[tuple[str, str]]] = defaultdict(set)
    if not runs:
        return found
    rows = TaskInstance.objects.filter(
        dag_id=dag_id, task_id__in=task_ids, dag_run_id__in=[run.pk for run in runs], state=S.FAILED
    )
    for row in _texts(rows.order_by(), "dag_run_id").distinct()[:MOST_ROWS]:
        found[row["dag_run_id"]].add((fingerprint(row["cause"], row["text"], row["task_id"]), row["task_id"]))
    return found


def _elsewhere(dag_id: str) -> dict[str, set[str]]:
    """Return the other DAGs of which the newest failures have a fingerprint; the index of states gives them in order."""
    found: dict[str, set[str]] = defaultdict(set)
    rows: Iterable[Any] = _texts(TaskInstance.objects.filter(state=S.FAILED, map_index=-1).order_by("-id"), "dag_id")
    for row in rows[:NEWEST_FAILURES]:  # type: ignore[index]
        if row["dag_id"] != dag_id:
            found[fingerprint(row["cause"], row["text"], row["task_id"])].add(row["dag_id"])
    return found


def _texts(rows: Any, *more: str) -> Any:
    return rows.annotate(text=Substr("cause_detail", 1, LOOKED_AT)).values("task_id", "cause", "text", *more)
