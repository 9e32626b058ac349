"""Decides why a run does not begin, or what it waits for while it runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import OuterRef

from dags_app.models import Dag
from orchestrator.counting import CountOf
from orchestrator.kernel.clock import utcnow
from runs.explain import gates
from runs.explain.answer import MOST_BLOCKERS, Explanation, label, listed, of_backfill, of_instance, of_run, said
from runs.explain.history import expected_end, usual_seconds
from runs.explain.platform import Platform, platform
from runs.explain.reasons import Reason
from runs.models import DagRun, Hold, TaskInstance
from runs.states import DAG_RUN_FINISHED, FINISHED, DagRunState, DagRunType, TaskInstanceState

# Of the instances that wait, the one explained is of the first of these states: what is furthest on.
_FURTHEST = ("restarting", "queued", "up_for_retry", "awaiting_input", "deferred", "up_for_reschedule", "scheduled")


def explain_run(run: DagRun) -> list[Explanation]:
    """Return why a run waits, the first reason first; a bounded number of queries."""
    now = utcnow()
    dag, parts, holds = Dag.objects.filter(pk=run.dag_id).first(), platform(now), gates.holds_of(run)
    if run.state in DAG_RUN_FINISHED:
        return [
            Explanation(Reason.FINISHED, f"Run {run.run_id} is {run.state}: it waits for nothing.", (of_run(run),), run.end_date)
        ]
    if run.state == DagRunState.QUEUED:
        return list(of_queued(run, dag, parts, holds, now))
    return _of_running(run, [*gates_of(run, dag, parts, holds, now)], now)


def first_reasons(runs: Sequence[DagRun], parts: Platform) -> list[Explanation]:
    """Return the first reason of each of some queued runs; two queries for all, and one for each that a limit keeps back."""
    own = DagRun._base_manager.filter(dag_id=OuterRef("pk"), state=DagRunState.RUNNING, backfill=None)
    known: dict[str, Any] = Dag.objects.annotate(running=CountOf(own)).in_bulk([run.dag_id for run in runs])
    holds = gates.holds_of_all(runs)

    def first(run: DagRun) -> Explanation:
        dag = known.get(run.dag_id)
        return next(of_queued(run, dag, parts, holds[run.pk], parts.now, dag.running if dag else None))

    return [first(run) for run in runs]


def gates_of(run: DagRun, dag: Dag | None, parts: Platform, holds: list[Hold], now: datetime) -> Iterator[Explanation]:
    """Yield what holds back everything of a run, whatever its state."""
    yield from gates.of_schedulers(parts)
    yield from gates.of_dag_row(dag, run.dag_id)
    yield from gates.of_holds(run, holds)
    yield from gates.of_errors(run, dag, now)


def of_queued(
    run: DagRun, dag: Dag | None, parts: Platform, holds: list[Hold], now: datetime, running: int | None = None
) -> Iterator[Explanation]:
    """Yield why a queued run does not begin; ``running`` runs of its DAG count against its limit, where that is known."""
    if run.run_after > now:
        text = f"Run {run.run_id} is due at {said(run.run_after)} (run_after)."
        yield Explanation(Reason.RUN_AFTER, text, (of_run(run),), run.queued_at, run.run_after)
    yield from gates_of(run, dag, parts, holds, now)
    yield from _of_backfill(run) if run.backfill_id is not None else _of_limits(run, dag, running)
    text = f"Run {run.run_id} begins as soon as the scheduler looks at it."
    yield Explanation(Reason.ABOUT_TO_START, text, (of_run(run),), run.queued_at)


def _of_backfill(run: DagRun) -> Iterator[Explanation]:
    backfill = run.backfill
    if backfill is None:
        return
    if backfill.is_paused:
        text = f"Backfill {backfill.pk} is paused: unpause it, or cancel it to let the run go on by itself."
        yield Explanation(Reason.BACKFILL_PAUSED, text, (of_backfill(backfill.pk, "paused"),))
    running = DagRun.objects.filter(backfill=backfill, state=DagRunState.RUNNING).order_by("pk")
    number = running.count()
    if number >= backfill.max_active_runs:
        text = f"Backfill {backfill.pk} has max_active_runs = {backfill.max_active_runs}, and {number} of its runs are running."
        blockers = (of_backfill(backfill.pk, "running"), *(of_run(other) for other in running[:MOST_BLOCKERS]))
        yield Explanation(Reason.BACKFILL_LIMIT, text, blockers, run.queued_at)


def _of_limits(run: DagRun, dag: Dag | None, running: int | None) -> Iterator[Explanation]:
    if dag is None:
        return
    yield from room_of(dag, run.queued_at, (DagRunState.RUNNING,), running)
    if dag.overlap_policy == "allow" or run.run_type != DagRunType.SCHEDULED:
        return
    before = DagRun.objects.unfinished().filter(dag=dag, run_type=DagRunType.SCHEDULED, backfill=None).exclude(pk=run.pk)
    other = before.order_by("-state", "run_after", "pk").first()  # a running one before a queued one
    if other is not None and (other.state == DagRunState.RUNNING or (other.run_after, other.pk) < (run.run_after, run.pk)):
        text = f"The overlap policy of DAG {dag.pk} is {dag.overlap_policy}, and run {other.run_id} is {other.state}."
        yield Explanation(Reason.OVERLAP, text, (of_run(other),), run.queued_at)


def room_of(dag: Dag, since: datetime | None, states: tuple[str, ...], known: int | None = None) -> Iterator[Explanation]:
    """Yield that a DAG has as many runs as ``max_active_runs`` lets it have; they are counted where their number is not known."""
    if dag.max_active_runs is None:
        return
    runs = DagRun.objects.filter(dag=dag, state__in=states, backfill=None)
    number = runs.count() if known is None else known
    if number < dag.max_active_runs:
        return
    shown = list(runs.order_by("-state", "start_date", "pk")[:MOST_BLOCKERS])
    text = (
        f"DAG {dag.pk} has max_active_runs = {dag.max_active_runs}, and {number} are active: {listed([r.run_id for r in shown])}."
    )
    yield Explanation(Reason.RUN_LIMIT, text, tuple(of_run(other) for other in shown), since)


def _of_running(run: DagRun, found: list[Explanation], now: datetime) -> list[Explanation]:
    rows = TaskInstance.objects.filter(dag_run=run).exclude(state__in=list(FINISHED))
    running = list(rows.filter(state=TaskInstanceState.RUNNING).order_by("start_date", "pk")[:MOST_BLOCKERS])
    if running:
        return [_of_tasks(run, running, now), *found]
    waiting = _furthest(list(rows.filter(state__in=_FURTHEST)[:MOST_BLOCKERS]) or list(rows.order_by("pk")[:MOST_BLOCKERS]))
    if waiting is None:
        text = f"All tasks of run {run.run_id} are done: the scheduler ends it as soon as it looks at it."
        return [*found, Explanation(Reason.ABOUT_TO_END, text, (of_run(run),))]
    from runs.explain.instance import explain_instance

    waiting.dag_run = run
    return [_through(waiting, item) for item in explain_instance(waiting)]


def _of_tasks(run: DagRun, running: list[TaskInstance], now: datetime) -> Explanation:
    names = listed([label(row) for row in running])
    eta = expected_end(running, usual_seconds(run.dag_id, {row.task_id for row in running}), now)
    text = f"Run {run.run_id} goes on: {names} {'run' if len(running) > 1 else 'runs'}."
    return Explanation(Reason.TASKS_RUNNING, text, tuple(of_instance(row) for row in running), run.start_date, eta)


def _furthest(rows: list[TaskInstance]) -> TaskInstance | None:
    places = {state: place for place, state in enumerate(_FURTHEST)}
    return min(rows, key=lambda row: places.get(row.state or "", len(places)), default=None)


def _through(ti: TaskInstance, item: Explanation) -> Explanation:
    blockers = (of_instance(ti), *item.blockers)
    return Explanation(item.reason, f"{label(ti)}: {item.sentence}", blockers[:MOST_BLOCKERS], item.since, item.eta)
