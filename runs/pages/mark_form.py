"""Decides what the form of a mark offers, what it means, and what it shows before anything is changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import QueryDict

from runs.clear_scope import Chosen
from runs.models import DagRun, TaskInstance
from runs.pages.clear_form import is_on
from runs.pages.places import Place, spec_of_run
from runs.services_mark import UNDER_WAY, MarkRequest, failed_below, instances_mark, instances_to_mark
from runs.states import FINISHED

REACH = ("past", "future", "upstream", "downstream")
STATES = ("success", "failed", "skipped")
RUN_STATES = ("success", "failed", "queued")


@dataclass(frozen=True, slots=True)
class MarkForm:
    """What is ticked."""

    state: str
    on: frozenset[str]
    note: str = ""

    @property
    def signature(self) -> str:
        """Tells whether a preview is one of this form."""
        return " ".join([self.state, *sorted(self.on)])


def read_form(data: QueryDict, place: Place) -> MarkForm:
    """Return what the form or a link says."""
    allowed = RUN_STATES if place.kind == "run" else STATES
    state = data.get("state", "")
    on = {name for name in REACH if place.kind != "run" and is_on(data, name)}
    if place.run.logical_date is None:
        on -= {"past", "future"}
    return MarkForm(state if state in allowed else allowed[0], frozenset(on), data.get("note", "").strip())


def request_of(place: Place, form: MarkForm) -> MarkRequest:
    """Return the request for a task or a task group."""
    return MarkRequest(place.run, Chosen.of(place.markers or ()), form.state, **{name: name in form.on for name in REACH})


@dataclass(frozen=True, slots=True)
class MarkPlan:
    """What gets the state, and what failed below and runs again because of it."""

    rows: list[TaskInstance]
    resumed: int


def plan(place: Place, form: MarkForm) -> MarkPlan:
    """Return what the mark of a task or a task group does."""
    request = request_of(place, form)
    rows = instances_to_mark(place.spec, request)
    marked = {row.pk for row in rows}
    return MarkPlan(rows, sum(row.pk not in marked for row in failed_below(place.spec, request)))


def mark(place: Place, form: MarkForm, rows: Sequence[TaskInstance], of_all: int, *, actor: str) -> int:
    """Give the state in the caller's transaction; where some were taken out, run by run to those that are left."""
    if len(rows) == of_all:
        return len(instances_mark(place.spec, request_of(place, form), actor=actor))
    left: dict[int, list[TaskInstance]] = {}
    for row in rows:
        left.setdefault(row.dag_run_id, []).append(row)
    changed = 0
    for _, some in sorted(left.items()):
        run = some[0].dag_run
        chosen = Chosen(indexes={(row.task_id, row.map_index) for row in some})
        changed += len(instances_mark(spec_of_run(run), MarkRequest(run, chosen, form.state), actor=actor))
    return changed


@dataclass(frozen=True, slots=True)
class RunEnd:
    """What ending a run does to its tasks: ended with it, never begun, left to run."""

    under_way: int
    waiting: int
    teardowns: int


def run_end(run: DagRun) -> RunEnd:
    """Return what becomes of the unfinished tasks of a run that a person ends."""
    teardowns = {task.task_id for task in spec_of_run(run).tasks if task.is_teardown}
    rows = TaskInstance.objects.filter(dag_run=run).exclude(state__in=list(FINISHED)).values_list("task_id", "state")
    open_rows = [(task_id, state) for task_id, state in rows if task_id not in teardowns]
    under_way = sum(state in UNDER_WAY for _, state in open_rows)
    return RunEnd(under_way, len(open_rows) - under_way, len(rows) - len(open_rows))
