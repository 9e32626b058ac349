"""Decides which waits of an unfinished run its page explains: that of the run, and of a few of its tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Case, IntegerField, Value, When

from runs.explain.instance import explain_instance
from runs.explain.run import explain_run
from runs.models import DagRun, TaskInstance
from runs.pages.explained import ShownReason, shown_reasons
from runs.pages.run.cause_cards import named
from runs.pages.run.task_rows import index_path
from runs.states import DAG_RUN_FINISHED, DagRunState
from runs.states import TaskInstanceState as S

# Each costs several queries, so few are explained: those that wait for something else than an upstream task.
MOST_TASKS = 2
_TOLD = (S.AWAITING_INPUT, S.UP_FOR_RETRY, S.SCHEDULED, S.QUEUED, S.DEFERRED, S.UP_FOR_RESCHEDULE)


@dataclass(frozen=True, slots=True)
class WaitCard:
    """Why a task waits, or, without ``ti``, why the run does."""

    ti: TaskInstance | None
    name: str
    url: str
    reasons: Sequence[ShownReason]


def wait_cards(run: DagRun) -> list[WaitCard]:
    """Return what an unfinished run and its waiting tasks wait for; a bounded number of queries."""
    if run.state in DAG_RUN_FINISHED:
        return []
    own = WaitCard(None, "the run", "", shown_reasons(explain_run(run), run))
    if run.state != DagRunState.RUNNING:
        return [own]
    tasks = [_of_task(run, row) for row in _told(run)]
    return tasks if any(_says_the_same(own, card) for card in tasks) else [own, *tasks]


def _says_the_same(own: WaitCard, card: WaitCard) -> bool:
    """Whether the run waits for what the task waits for: then the card of the task says it better."""
    return bool(own.reasons and card.reasons) and own.reasons[0].sentence.endswith(card.reasons[0].sentence)


def _told(run: DagRun) -> list[TaskInstance]:
    """The waiting instances that are explained: of each state one, what needs a person first."""
    places = [When(state=state, then=Value(place)) for place, state in enumerate(_TOLD)]
    rows = run.task_instances.filter(state__in=_TOLD).defer("executor_config", "next_kwargs")
    ordered = rows.order_by(Case(*places, output_field=IntegerField()), "wait_since", "task_id", "map_index")
    found: dict[tuple[str | None, str], TaskInstance] = {}
    for row in ordered[:20]:
        found.setdefault((row.state, row.task_id), row)
    return list(found.values())[:MOST_TASKS]


def _of_task(run: DagRun, row: TaskInstance) -> WaitCard:
    row.dag_run = run
    name = named(row.task_id, row.map_index, row.rendered_map_index)
    return WaitCard(row, name, index_path(run, row.task_id, row.map_index), shown_reasons(explain_instance(row), run))
