"""Decides whether a deadline is missed, met or still open, from the rows of its run and its attempts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.sdk.serialization.spec import DagSpec
from runs.deadlines.moments import fixed_moment, interval_of, kind_of, reference_moment
from runs.models import DagRun, Deadline, TaskInstance
from runs.states import DAG_RUN_FINISHED, FINISHED
from runs.states import TaskInstanceState as S

LOOK_AGAIN_SECONDS = 5.0
_NEVER_BEGINS = frozenset({S.SKIPPED, S.UPSTREAM_FAILED, S.REMOVED})
_BEGUN = frozenset({S.RUNNING, S.RESTARTING, S.DEFERRED, S.UP_FOR_RESCHEDULE, S.UP_FOR_RETRY, S.AWAITING_INPUT})


@dataclass(slots=True)
class Judgement:
    """What a look found.

    ``late`` names the map indexes that are late (-1: the subject itself) with the moment that they missed; ``over`` says
    that nothing can become late any more; ``look_at`` when to look again.
    """

    late: dict[int, datetime] = field(default_factory=dict)
    over: bool = False
    look_at: datetime | None = None


def judge(row: Deadline, run: DagRun, spec: DagSpec | None, now: datetime) -> Judgement:
    """Look at a deadline whose time has come. Raises ``ValueError`` where its alert cannot be read any more."""
    if row.alert.get("subject", "run") == "run":
        return _of_run(row, run, now)
    names = [row.task_id] if row.alert["subject"] == "task" else members(spec, row.task_id)
    found = list(TaskInstance.objects.filter(dag_run=run, task_id__in=names).order_by("task_id", "map_index"))
    return _of_tasks(row, run, found, now)


def members(spec: DagSpec | None, group_id: str) -> list[str]:
    """Return the tasks of a group and of the groups inside it."""
    if spec is None:
        return []
    inside = {group_id}
    for group in spec.task_groups:  # root first, so a parent comes before its children
        if group.parent_id in inside and group.group_id is not None:
            inside.add(group.group_id)
    return [task.task_id for task in spec.tasks if task.task_group_id in inside]


def _of_run(row: Deadline, run: DagRun, now: datetime) -> Judgement:
    moment = _moment(row, run, None, now)
    ended = run.end_date if run.state in DAG_RUN_FINISHED else None
    if moment is None:
        return Judgement(over=ended is not None, look_at=_later(row, now))
    if (ended or now) > moment:
        return Judgement({-1: moment})
    return Judgement(over=ended is not None, look_at=moment)


def _of_tasks(row: Deadline, run: DagRun, instances: Sequence[TaskInstance], now: datetime) -> Judgement:
    judgement, looks = Judgement(over=True), []
    chosen: list[TaskInstance | None] = [*instances] or [None]
    for instance in chosen:
        moment = _moment(row, run, instance, now)
        until = _done_at(row, instance)
        if moment is not None and moment < (until or now) and not _never(instance):
            judgement.late.setdefault(instance.map_index if instance is not None else -1, moment)
        elif until is None and not _never(instance):
            judgement.over = False
            looks.append(moment if moment is not None else _later(row, now))
    judgement.look_at = min(looks, default=None)
    if run.state in DAG_RUN_FINISHED:
        judgement.over = True  # what has not begun by now never will
    return judgement


def _moment(row: Deadline, run: DagRun, instance: TaskInstance | None, now: datetime) -> datetime | None:
    """Return the deadline itself; None while what it counts from has not happened."""
    fixed = fixed_moment(row.alert)
    if fixed is not None:
        return fixed
    kind = kind_of(row.alert)
    if kind == "TaskQueuedAtDeadline":
        base = instance.queued_dttm if instance is not None else None
    elif kind == "TaskStartedAtDeadline":
        base = instance.start_date if instance is not None else None
    else:
        base = reference_moment(row.alert, run, now)
    interval = interval_of(row.alert, run, row.task_id) if base is not None else None
    return None if base is None or interval is None else base + interval


def _done_at(row: Deadline, instance: TaskInstance | None) -> datetime | None:
    """Return when the instance did what the deadline asks for; None while it has not."""
    if instance is None:
        return None
    if row.alert.get("condition") == "started":
        begun = instance.state in _BEGUN or instance.state in FINISHED
        return instance.start_date if begun and instance.start_date is not None else None
    if instance.state in FINISHED:
        return instance.end_date or instance.start_date
    return instance.end_date if instance.state == S.UP_FOR_RETRY and kind_of(row.alert) == "TaskStartedAtDeadline" else None


def _never(instance: TaskInstance | None) -> bool:
    return instance is not None and instance.state in _NEVER_BEGINS


def _later(row: Deadline, now: datetime) -> datetime:
    interval = row.alert.get("interval")
    seconds = float(interval) if isinstance(interval, int | float) else LOOK_AGAIN_SECONDS
    return now + timedelta(seconds=min(max(seconds, 1.0), 60.0))
