"""Decides what an attempt waits for that has begun or was handed over: a time, a trigger, a person, a worker."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from runs.explain.answer import Blocker, Explanation, label, of_part, said
from runs.explain.platform import Platform
from runs.explain.reasons import Reason
from runs.models import HITLDetail, TaskInstance, TaskInstanceHistory, Trigger
from runs.states import TaskInstanceState as S


def of_worker(ti: TaskInstance, parts: Platform) -> Iterator[Explanation]:
    """Yield where an attempt is that an executor has."""
    if ti.state != S.QUEUED:
        text = f"Task {label(ti)} is {ti.state} on {ti.hostname or 'a worker'} since {said(ti.start_date)}."
        yield Explanation(Reason.RUNNING, text, (), ti.start_date)
        return
    executor = ti.executor or "the default executor"
    if ti.queued_by is not None and parts.is_gone(ti.queued_by):
        text = f"The worker that had task {label(ti)} (queue {ti.queue}) is gone: the scheduler hands it over again."
        yield Explanation(Reason.NO_WORKER, text, (of_part("supervisor"),), ti.queued_dttm)
        yield from _no_scheduler(parts)
    text = f"Task {label(ti)} was handed to {executor} (queue {ti.queue}) at {said(ti.queued_dttm)}: no worker has begun it yet."
    yield Explanation(Reason.EXECUTOR, text, (), ti.queued_dttm)


def _no_scheduler(parts: Platform) -> Iterator[Explanation]:
    if not parts.alive("scheduler"):
        yield Explanation(Reason.SCHEDULER_DOWN, "No scheduler is alive: start `manage.py scheduler`.", (of_part("scheduler"),))


def of_wait(ti: TaskInstance, parts: Platform, now: datetime) -> Iterator[Explanation]:
    """Yield what a wait inside a task's life is for: a retry, a reschedule, a trigger, a person."""
    if ti.state == S.UP_FOR_RETRY:
        yield _retry(ti, now)
    elif ti.state == S.UP_FOR_RESCHEDULE:
        text = f"Task {label(ti)} is not satisfied yet and looks again at {said(ti.retry_at)} (reschedule)."
        yield Explanation(Reason.RESCHEDULE, text, (), ti.wait_since, ti.retry_at)
    elif ti.state == S.AWAITING_INPUT:
        yield _question(ti)
    else:
        yield _trigger(ti, parts)


def _retry(ti: TaskInstance, now: datetime) -> Explanation:
    place = {"dag_run_id": ti.dag_run_id, "task_id": ti.task_id, "map_index": ti.map_index}
    last = TaskInstanceHistory.objects.filter(**place).order_by("-try_number", "-id").first()
    why = f"try {last.try_number} failed ({last.cause or 'no cause known'})" if last else "the last try failed"
    first = (last.cause_detail or "").strip().splitlines()[-1:] if last else []
    why += f": {first[0]}" if first else ""
    when = f"at {said(ti.retry_at)}" if ti.retry_at and ti.retry_at > now else "as soon as the scheduler looks at it"
    text = f"Task {label(ti)} tries again {when}, with try {ti.try_number + 1} of {ti.max_tries + 1}, because {why}."
    return Explanation(Reason.RETRY_AT, text, (), ti.wait_since, ti.retry_at)


def _question(ti: TaskInstance) -> Explanation:
    asked = HITLDetail.objects.filter(ti_id=ti.pk).first()
    if asked is None:
        return Explanation(Reason.INPUT, f"Task {label(ti)} waits for a person's answer.", (), ti.wait_since)
    names = [str(person.get("name") or person.get("id")) for person in asked.assignees]
    who = ", ".join(names) or "anyone who may edit the task"
    until = f", at most until {said(asked.expires_at)}" if asked.expires_at else ""
    text = f"Task {label(ti)} waits for the answer of {who} to {asked.subject!r}{until}."
    index = ti.map_index
    link = f"/api/v2/dags/{ti.dag_id}/dagRuns/{ti.run_id}/taskInstances/{ti.task_id}/{index}/hitlDetails"
    return Explanation(Reason.INPUT, text, (Blocker("question", str(ti.pk), asked.subject, "open", link),), asked.created_at)


def _trigger(ti: TaskInstance, parts: Platform) -> Explanation:
    trigger = Trigger.objects.filter(pk=ti.trigger_id).first() if ti.trigger_id else None
    name = trigger.classpath if trigger else f"trigger {ti.trigger_id}"
    until = f", at most until {said(ti.trigger_timeout)}" if ti.trigger_timeout else ""
    if not _is_served(parts, trigger.queue if trigger else None):
        queue = f" for queue {trigger.queue}" if trigger and trigger.queue else ""
        text = f"Task {label(ti)} is deferred to {name}, and no triggerer{queue} is alive: start `manage.py triggerer`."
        return Explanation(Reason.TRIGGERER_DOWN, text, (of_part("triggerer"),), ti.wait_since)
    state = "running" if trigger and trigger.triggerer_id else "waiting for a triggerer"
    text = f"Task {label(ti)} is deferred until {name} fires ({state}){until}."
    return Explanation(Reason.TRIGGER, text, (Blocker("trigger", str(ti.trigger_id), name, state),), ti.wait_since)


def _is_served(parts: Platform, queue: str | None) -> bool:
    """A triggerer says its queues; without any it serves the triggers without a queue."""
    served = [row.detail.get("queues") or [] for row in parts.alive("triggerer")]
    return any(queue in queues if queue else not queues for queues in served)
