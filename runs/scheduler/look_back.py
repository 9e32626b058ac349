"""Decides what the past of a run says about its tasks with ``depends_on_past`` or ``wait_for_downstream``."""

from __future__ import annotations

from collections import Counter

from orchestrator.kernel.clock import monotonic
from orchestrator.kernel.service import Result
from orchestrator.sdk.serialization.spec import DagSpec
from runs.backfills.membership import is_first_of_backfill
from runs.dependencies import PastFacts, WaitReason
from runs.models import DagRun, TaskInstance
from runs.scheduler.holdings import Holdings, OwnedRun
from runs.scheduler.set_aside import set_aside_run
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
    previous = None if is_first_of_backfill(run) else previous_run(run, spec)
    if previous is None:
        return {task.task_id: PastFacts(has_previous_run=False) for task in looking}
    total: Counter[str] = Counter()
    bad: Counter[str] = Counter()
    for task_id, state in TaskInstance.objects.filter(dag_run=previous).values_list("task_id", "state"):
        total[task_id] += 1
        bad[task_id] += state not in SUCCESS_STATES
    earlier = TaskInstance.objects.filter(dag_id=run.dag_id, dag_run__logical_date__lt=run.logical_date)
    # Only asked of tasks that the previous run does not have; the history is never read as a whole.
    before = {t.task_id for t in looking if total[t.task_id] or earlier.filter(task_id=t.task_id).exists()}
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
        held = [owned for owned in waiting if _is_held_back(owned)]
        runs = DagRun.objects.in_bulk([owned.pk for owned in held])
        done = 0
        for owned in held:
            try:
                done += self._look(owned, runs.get(owned.pk))
            except Exception as error:
                set_aside_run(self.holdings, owned.pk, error)
        return Result(done=done)

    def _look(self, owned: OwnedRun, run: DagRun | None) -> bool:
        """Take the facts over; returns whether they are others than before."""
        facts = past_facts(run, owned.spec) if run is not None else {}
        changed = any(owned.graph.past_of(task_id) != fact for task_id, fact in facts.items())
        if changed:
            owned.graph.set_past(facts)
            self.holdings.dirty.add(owned.pk)
        return changed


def _is_held_back(owned: OwnedRun) -> bool:
    """Return whether the past holds any task of the run back: only then it is asked again."""
    looking = (key for key in owned.graph if key[0] in owned.tasks and owned.tasks[key[0]].depends_on_past)
    return any(owned.graph.decision(key).reason is WaitReason.PAST for key in looking)
