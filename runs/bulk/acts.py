"""Decides what each kind of bulk action does to one run or to some task instances of it; the services do it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from dags_app.models import Dag
from runs.bulk.kinds import Target
from runs.clear_scope import Chosen
from runs.clear_selection import named, spec_for_run
from runs.models import DagRun, Hold, TaskInstance
from runs.notes import set_notes, set_run_note
from runs.rerun_versions import runs_on_latest
from runs.retry_orders import give_up, retry_now
from runs.services_clear import ClearOptions, instances_begin_anew, run_add_new_tasks
from runs.services_delete import instances_delete, run_delete
from runs.services_hold import hold_place, hold_release
from runs.services_mark import MarkRequest, instances_mark, run_set_state, run_stop
from runs.states import DAG_RUN_FINISHED
from runs.states import TaskInstanceState as S


class Place(NamedTuple):
    """A task instance by its place in its run, with the attempt that it had when it was chosen."""

    task_id: str
    map_index: int
    ti_id: str


class GoneError(Exception):
    """What was chosen is not there any more."""


@dataclass(frozen=True, slots=True)
class Job:
    """What an action does, for all of its items; ``is_first``: nothing of the run was done before.

    ``number`` is that of the action, ``door`` the one through which it was ordered, as runs name who triggered them.
    """

    actor: str
    reason: str
    options: Mapping[str, Any]
    now: datetime
    is_first: bool = True
    number: int = 0
    door: str = "ui"


Act = Callable[[Job, DagRun, Sequence[Place]], set[Place]]
"""Changes the places of a locked run and returns those that changed; for an action on runs, no place stands for the run."""

THE_ITEM = Place("", -1, "")


_COLUMNS = ("id", "dag_run_id", "dag_id", "run_id", "task_id", "map_index", "state", "trigger_id", "note")


def _rows(run: DagRun, places: Sequence[Place]) -> dict[Place, TaskInstance]:
    """Return the rows of the places; most have the attempt of then, the others are looked for by their place."""
    there = TaskInstance.objects.filter(dag_run=run).only(*_COLUMNS)
    by_id = {str(row.pk): row for row in there.filter(pk__in=[place.ti_id for place in places])}
    others = {(place.task_id, place.map_index) for place in places if place.ti_id not in by_id}
    found = there.filter(named(Chosen(indexes=others))) if others else ()
    by_place = {(row.task_id, row.map_index): row for row in [*by_id.values(), *found]}
    if gone := [place for place in places if (place.task_id, place.map_index) not in by_place]:
        raise GoneError(f"task instance {gone[0].task_id}[{gone[0].map_index}] was deleted meanwhile")
    for row in by_place.values():
        row.dag_run = run
    return {place: by_place[place.task_id, place.map_index] for place in places}


def _same_attempts(run: DagRun, places: Sequence[Place]) -> dict[Place, TaskInstance]:
    """Return what has not begun anew since it was chosen: who chose a failed attempt does not mean the one after it."""
    return {place: row for place, row in _rows(run, places).items() if str(row.pk) == place.ti_id}


def _clear(job: Job, run: DagRun, places: Sequence[Place]) -> set[Place]:
    rows, options = _same_attempts(run, places), job.options
    if not rows:
        return set()
    dag = Dag.objects.filter(pk=run.dag_id).first()
    if dag is None:
        raise GoneError(f"DAG {run.dag_id!r} was deleted, so that nothing of it can run again")
    reset = options.get("reset_dag_runs", True) and (job.is_first or run.state in DAG_RUN_FINISHED)
    how = ClearOptions(
        actor=job.actor,
        reset_dag_runs=reset,
        prevent_running=options.get("prevent_running_task", False),
        latest=runs_on_latest(dag, options["run_on_latest_version"]),
        version_number=options["dag_version"],
        note=options.get("note"),
    )
    moved = instances_begin_anew(list(rows.values()), how)
    return {place for place, row in rows.items() if row.pk in moved}


def _clear_of_run(job: Job, run: DagRun, places: Sequence[Place]) -> set[Place]:
    """Clear what is in a run; the note is the run's, as where one run is cleared."""
    moved = _clear(replace(job, options={**job.options, "note": None}), run, places)
    if moved:
        _noted(job, run)
    return moved


def _run_new_tasks(job: Job, run: DagRun, places: Sequence[Place]) -> set[Place]:
    if not run_add_new_tasks(run, actor=job.actor):
        return set()
    _noted(job, run)
    return {THE_ITEM}


def _noted(job: Job, run: DagRun) -> None:
    if job.options["note"] is not None and job.options["note"] != (run.note or ""):
        set_run_note(run, job.options["note"], user=job.actor)


def _mark(state: str) -> Act:
    def act(job: Job, run: DagRun, places: Sequence[Place]) -> set[Place]:
        rows = _rows(run, places)
        chosen = Chosen(indexes={(place.task_id, place.map_index) for place in rows})
        # What is marked as failed lets nothing below it run again: what is chosen below would lose its mark.
        request = MarkRequest(run, chosen, state, resumes_below=state != S.FAILED)
        moved = {(row.task_id, row.map_index) for row in instances_mark(spec_for_run(run), request, actor=job.actor)}
        return {place for place in rows if (place.task_id, place.map_index) in moved}

    return act


def _each(change: Callable[[Job, TaskInstance], bool]) -> Act:
    """Make an act of a change of one task instance that returns whether it changed anything."""

    def act(job: Job, run: DagRun, places: Sequence[Place]) -> set[Place]:
        return {place for place, row in _rows(run, places).items() if change(job, row)}

    return act


def _retry_now(job: Job, row: TaskInstance) -> bool:
    retry_now(row, actor=job.actor)
    return True


def _give_up(job: Job, row: TaskInstance) -> bool:
    give_up(row, actor=job.actor)
    return True


def _note(job: Job, row: TaskInstance) -> bool:
    if (row.note or "") == job.options["note"]:
        return False
    set_notes([row], job.options["note"], user=job.actor)
    return True


def _delete(job: Job, run: DagRun, places: Sequence[Place]) -> set[Place]:
    rows = _same_attempts(run, places)
    if rows:
        instances_delete(list(rows.values()))
    return set(rows)


def _hold(job: Job, run: DagRun, places: Sequence[Place]) -> set[Place]:
    until = job.options["until"]
    there = {(hold.task_id, hold.map_index): hold for hold in Hold.objects.filter(dag_run=run, bulk_action=None)}
    changed = set()
    for place in _places(run, places):
        hold = there.get((place.task_id, place.map_index))
        if hold is not None and (hold.reason, hold.until) == (job.reason, until):
            continue
        where: dict[str, Any] = {"task_id": place.task_id, "map_index": place.map_index}
        hold_place(run, by=job.actor, now=job.now, reason=job.reason, until=until, **where)
        changed.add(place)
    return changed


def _release(job: Job, run: DagRun, places: Sequence[Place]) -> set[Place]:
    there = {(hold.task_id, hold.map_index): hold for hold in Hold.objects.filter(dag_run=run)}
    held = {place: there.get((place.task_id, place.map_index)) for place in _places(run, places)}
    for hold in held.values():
        if hold is not None:
            hold_release(hold)
    return {place for place, hold in held.items() if hold is not None}


def _places(run: DagRun, places: Sequence[Place]) -> list[Place]:
    """Return the places, which must be there; for an action on runs, the run itself."""
    return list(_rows(run, places)) if places else [THE_ITEM]


def _run_state(state: str) -> Act:
    def act(job: Job, run: DagRun, places: Sequence[Place]) -> set[Place]:
        if run.state == state:
            return set()
        run_set_state(run, state, actor=job.actor)
        return {THE_ITEM}

    return act


def _stop(job: Job, run: DagRun, places: Sequence[Place]) -> set[Place]:
    return {THE_ITEM} if run_stop(run, actor=job.actor) else set()


def _run_note(job: Job, run: DagRun, places: Sequence[Place]) -> set[Place]:
    if (run.note or "") == job.options["note"]:
        return set()
    set_run_note(run, job.options["note"], user=job.actor)
    return {THE_ITEM}


def _run_delete(job: Job, run: DagRun, places: Sequence[Place]) -> set[Place]:
    run_delete(run)
    return {THE_ITEM}


ACTS: Mapping[tuple[str, str], Act] = {
    (Target.TASK_INSTANCES, "clear"): _clear,
    (Target.TASK_INSTANCES, "mark_success"): _mark(S.SUCCESS),
    (Target.TASK_INSTANCES, "mark_failed"): _mark(S.FAILED),
    (Target.TASK_INSTANCES, "mark_skipped"): _mark(S.SKIPPED),
    (Target.TASK_INSTANCES, "hold"): _hold,
    (Target.TASK_INSTANCES, "release"): _release,
    (Target.TASK_INSTANCES, "retry_now"): _each(_retry_now),
    (Target.TASK_INSTANCES, "give_up"): _each(_give_up),
    (Target.TASK_INSTANCES, "note"): _each(_note),
    (Target.TASK_INSTANCES, "delete"): _delete,
    (Target.DAG_RUNS, "clear"): _clear_of_run,
    (Target.DAG_RUNS, "run_new_tasks"): _run_new_tasks,
    (Target.DAG_RUNS, "mark_success"): _run_state("success"),
    (Target.DAG_RUNS, "mark_failed"): _run_state("failed"),
    (Target.DAG_RUNS, "queue"): _run_state("queued"),
    (Target.DAG_RUNS, "stop"): _stop,
    (Target.DAG_RUNS, "hold"): _hold,
    (Target.DAG_RUNS, "release"): _release,
    (Target.DAG_RUNS, "note"): _run_note,
    (Target.DAG_RUNS, "delete"): _run_delete,
}
