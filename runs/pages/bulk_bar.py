"""Decides what the bar of a list offers to do with the chosen rows, and to whom."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

from accounts.access import Verdict, access_of
from accounts.roles import Role
from runs.bulk.kinds import Target


@dataclass(frozen=True, slots=True)
class Act:
    """One button: the kind of bulk action and its word."""

    kind: str
    word: str
    is_danger: bool = False


@dataclass(frozen=True, slots=True)
class BulkBar:
    """The bar of a list; ``dag_id`` and ``run_id`` are those that the page is about."""

    target: str
    acts: tuple[Act, ...]
    more: tuple[Act, ...]
    dag_id: str = ""
    run_id: str = ""


_DELETE = Act("delete", "Delete", is_danger=True)
_MARKS = (Act("mark_success", "Mark success"), Act("mark_failed", "Mark failed"))
_ACTS = {
    Target.DAG_RUNS: (
        (Act("clear", "Clear"), *_MARKS, _DELETE),
        (Act("queue", "Queue"), Act("stop", "Stop"), Act("hold", "Hold"), Act("release", "Release"), Act("note", "Set note")),
    ),
    Target.TASK_INSTANCES: (
        (Act("clear", "Clear"), *_MARKS, Act("mark_skipped", "Mark skipped")),
        (
            *(Act("retry_now", "Retry now"), Act("give_up", "Give up"), Act("hold", "Hold"), Act("release", "Release")),
            *(Act("note", "Set note"), _DELETE),
        ),
    ),
}
TRIGGER = Act("trigger", "Trigger")
WORDS = {(target.value, act.kind): act for target, groups in _ACTS.items() for group in groups for act in group}
# The list of DAGs has a bar of its own: it also pauses.
WORDS[Target.DAGS.value, TRIGGER.kind] = TRIGGER


def bulk_bar(request: HttpRequest, target: Target, *, dag_id: str = "", run_id: str = "") -> BulkBar | None:
    """Return the bar, None for somebody who may change nothing there."""
    access = access_of(request.user)
    best = access.best()
    if best is None or best < Role.USER:
        return None
    if dag_id and access.on_dag(Role.USER, dag_id) is not Verdict.GRANTED:
        return None
    return BulkBar(target.value, *_ACTS[target], dag_id=dag_id, run_id=run_id)
