"""Decides what the past of a run says about its tasks with ``depends_on_past`` or ``wait_for_downstream``."""

from __future__ import annotations

from collections import Counter

from orchestrator.kernel.clock import monotonic
from orchestrator.kernel.service import Result
from orchestrator.sdk.serialization.spec import DagSpec
from runs.dependencies import PastFacts
from runs.models import DagRun, TaskInstance
from runs.scheduler.holdings import Holdings
from runs.states import SUCCESS_STATES, DagRunType


def previous_run(run: DagRun, spec: DagSpec) -> DagRun | None:
    """Return the run before by logical date; with catchup the scheduled one before, as in Airflow."""
    if run.logical_date is None:
        return None
    earlier = DagRun.objects.filter(dag_id=run.dag_id, logical_date__lt=run.logical_date).order_by("-logical_date")
    if spec.catchup:
        earlier = earlier.exclude(run_type=DagRunType.MANUAL)
    return earlier.first()


def past_facts(run: DagRun, spec: DagSpec) -> dict[str, PastFacts]:
    """Return the facts for every task that looks at the past; three queries, whatever the number of tasks."""
    looking = [task for task in spec.tasks if task.depends_on_past or task.wait_for_downstream]
    if not looking:
        return {}
    previous = previous_run(run, spec)
    if previous is None:
        return {task.task_id: PastFacts(has_previous_run=False) for task in looking}
    total: Counter[str] = Counter()
    bad: Counter[str] = Counter()
    for task_id, state in TaskInstance.objects.filter(dag_run=previous).values_list("task_id", "state"):
        total[task_id] += 1
        bad[task_id] += state not in SUCCESS_STATES
    earlier = TaskInstance.objects.filter(dag_id=run.dag_id, dag_run__logical_date__lt=run.logical_date)
    before = set(earlier.filter(task_id__in=[t.task_id for t in looking]).values_list("task_id", flat=True).distinct())
    return {
        task.task_id: PastFacts(
            has_previous_run=True,
            instances=total[task.task_id],
            unsuccessful=bad[task.task_id],
            unsuccessful_downstream=sum(bad[task_id] for task_id in task.downstream_task_ids),
            ran_before=task.task_id in before,
        )
        for task in looking
    }


class LookBack:
    """Asks again what the previous runs say, for the runs that wait for them: at news of their DAG, and every second."""

    name = "look_back"

    def __init__(self, holdings: Holdings) -> None:
        self.holdings = holdings
        self._all_due_at = 0.0

    def run_once(self, limit: int) -> Result:
        """Refresh the facts of the runs that look at their past."""
        news, self.holdings.past_changed = self.holdings.past_changed, set()
        everyone = monotonic() >= self._all_due_at
        if everyone:
            self._all_due_at = monotonic() + 1.0
        waiting = [o for o in self.holdings.runs.values() if o.waits_for_past and (everyone or o.dag_id in news)]
        for owned in waiting:
            run = DagRun.objects.filter(pk=owned.pk).first()
            if run is not None:
                owned.graph.set_past(past_facts(run, owned.spec))
                self.holdings.dirty.add(owned.pk)
        return Result(done=len(waiting))
