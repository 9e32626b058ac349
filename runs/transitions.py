"""Decides every change of state of a task instance and of a DAG run; nothing else writes ``state``.

Each function is one edge (or the few edges of one event) and has one shape: lock the rows in one order, keep those
in an allowed from-state and, where a worker speaks, with its dispatch id; write the rows, the ``StateChange`` and
the ``RunEvent`` rows in the caller's transaction. What did not match is no error: the return value says who won. Lock
order is pool, dag_run, task_instance (invariant I8); task instances by ``LOCK_ORDER``, the others by primary key.

It has over 300 lines because it is the whole list of state changes, which must be readable in one place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Case, F, When

from orchestrator.database import for_update, notify_on_commit
from orchestrator.kernel.ids import new_id
from runs.assets.successes import successes_note, with_outlets
from runs.attempts import FRESH, archive, infra_budget_left, infra_retry_delay, launch_delay, retry_delay
from runs.backfills.membership import detach_from_closed
from runs.bulk_update import update_each
from runs.cause_rules import ruled
from runs.causes import INFRA_CAUSES, Cause
from runs.changes import TRIGGERER_TOPIC, Moved, announce, announce_run, record, record_run
from runs.consequences.attempts import CALLBACKS
from runs.hitl.events import begin_waits
from runs.listeners.outbox import tell_run
from runs.models import DagRun, RunEvent, TaskInstance, TaskLease, TaskReschedule, Trigger
from runs.old_attempts import NO_DISPATCH, PREVIOUS_ATTEMPT, fence, is_fenced
from runs.refusals import refusal
from runs.reports import Answer, Deferral, InputWait, Renewal, Report, Reschedule, Start
from runs.resumptions import EndByTrigger, Resumption, told
from runs.states import DAG_RUN_FINISHED, EDGES, FINISHED, RUN_EDGES, DagRunState
from runs.states import TaskInstanceState as S
from runs.task_specs import tasks_of
from runs.trigger_kwargs import kwargs_sealed

_WAITS_INSIDE_A_TRY = [S.UP_FOR_RESCHEDULE, S.DEFERRED, S.AWAITING_INPUT]
# In the other states the last attempt is history already, or none has begun.
_HAS_AN_ATTEMPT = FINISHED | {S.RUNNING, S.RESTARTING, *_WAITS_INSIDE_A_TRY}
LOCK_ORDER = ("dag_run_id", "task_id", "map_index")
_WITH_A_WORKER = frozenset({S.QUEUED, S.RUNNING, S.RESTARTING})
# Who fails these by hand ends work that was under way, so the author hears of it.
_BEGUN = frozenset({S.RUNNING, S.RESTARTING, S.UP_FOR_RETRY, *_WAITS_INSIDE_A_TRY})
_NO_WAIT: dict[str, Any] = {"wait_reason": None, "wait_detail": None, "wait_since": None}


def _locked(ids: Collection[UUID], states: Collection[str | None] | None = None) -> list[TaskInstance]:
    """Lock current attempts and return those in one of ``states``.

    Their order is that of the task instances, not of their ids: a retry or a clear gives a row another id, and two
    transactions that saw it under different ids would lock it in different places.
    """
    rows = for_update(TaskInstance.objects.filter(id__in=list(ids))).order_by(*LOCK_ORDER)
    return [row for row in rows if states is None or row.state in states]


def _speaks_for(row: TaskInstance, dispatch_id: UUID | None) -> bool:
    """Return whether a message comes from the hand-over that owns the attempt (invariant I1)."""
    return dispatch_id is None or row.dispatch_id == dispatch_id


# ---------------------------------------------------------------------------------------------- the scheduler's edges


def schedule(ids: Collection[UUID], *, now: datetime) -> list[TaskInstance]:
    """Mark attempts as decided to run; a new try begins unless a wait inside a try is over.

    Returns the rows that moved, as they are now; one with ``retry_at`` waits until then, because the attempt before it
    may still run.
    """
    rows = _locked(ids, EDGES[S.SCHEDULED] - {S.QUEUED, S.RUNNING})
    fenced = {row.id: row.retry_at for row in rows if is_fenced(row, now)}
    same_try = When(state__in=_WAITS_INSIDE_A_TRY, then=F("try_number"))
    record([Moved(row, S.SCHEDULED) for row in rows], now=now)
    TaskInstance.objects.filter(id__in=[row.id for row in rows]).update(
        state=S.SCHEDULED,
        try_number=Case(same_try, default=F("try_number") + 1),
        scheduled_dttm=now,
        retry_at=None,
        wait_reason="slots",
        wait_detail=None,
        wait_since=now,
        updated_at=now,
    )
    for row in rows:
        row.try_number += row.state not in _WAITS_INSIDE_A_TRY
        row.state = S.SCHEDULED
        row.retry_at = fenced.get(row.id)
    for ti_id, until in fenced.items():
        TaskInstance.objects.filter(id=ti_id).update(retry_at=until, wait_reason=PREVIOUS_ATTEMPT)
    return rows


def decide_without_running(ids: Collection[UUID], state: str, *, now: datetime, cause: str = "") -> list[TaskInstance]:
    """Skip, fail for upstream, remove, or (an empty operator) succeed attempts that never run.

    Returns the rows that moved. Only the owner of the run calls it, so no ``RunEvent`` is written.
    """
    rows = _locked(ids, frozenset({None, S.SCHEDULED, S.UP_FOR_RETRY, S.UP_FOR_RESCHEDULE}) & EDGES[S(state)])
    record([Moved(row, state, cause) for row in rows], now=now)
    values: dict[str, Any] = {"state": state, "start_date": now, "end_date": now, "duration": 0.0, "updated_at": now}
    if state == S.SUCCESS:
        values["try_number"] = F("try_number") + 1
    TaskInstance.objects.filter(id__in=[row.id for row in rows]).update(**values, **_NO_WAIT, cause=cause or None)
    for row in rows:
        row.state = state
    return rows


def queue(ids: Collection[UUID], *, queued_by: UUID | None, now: datetime) -> list[TaskInstance]:
    """Hand scheduled attempts over to an executor, each under a new dispatch id (invariant I1).

    The caller holds the pool rows and has counted the slots in this transaction. Returns the rows that moved.
    """
    rows = _locked(ids, {S.SCHEDULED})
    record([Moved(row, S.QUEUED) for row in rows], now=now)
    written = []
    for row in rows:
        row.dispatch_id, row.queued_by, row.queued_dttm = new_id(), queued_by, now
        written.append((row.id, S.SCHEDULED, (S.QUEUED, row.dispatch_id, queued_by, now, None, "executor", now, now)))
        row.state = S.QUEUED
    columns = ("state", "dispatch_id", "queued_by", "queued_dttm", "retry_at", "wait_reason", "wait_since", "updated_at")
    update_each(TaskInstance, columns, written)
    return rows


def requeue(
    dispatches: Mapping[UUID, UUID | None], *, now: datetime, cause: str, errors: Mapping[UUID, str] | None = None
) -> list[TaskInstance]:
    """Take back hand-overs that nobody began: queued becomes scheduled, the old dispatch id is worthless from now on.

    Args:
        dispatches: attempt id to the dispatch id that was seen; one made since is left alone.
        errors: why the launch failed, by attempt id; the next one follows after a pause that grows (C02-d).

    Uses no retry, because the attempt never started. The owner of the run learns it by a ``RunEvent``.
    """
    rows = [row for row in _locked(dispatches, {S.QUEUED}) if _speaks_for(row, dispatches[row.id])]
    moved, written = [], []
    for row in rows:
        wait: tuple[Any, ...] = ("slots", None, None)
        if errors and row.id in errors:
            number = (row.wait_detail or {}).get("launch_attempt", 0) + 1
            due = now + timedelta(seconds=launch_delay(number))
            wait = ("launch", {"launch_attempt": number, "error": errors[row.id]}, due)
        moved.append(Moved(row, S.SCHEDULED, cause, due_at=wait[2]))
        written.append((row.id, row.state, (S.SCHEDULED, None, None, *wait, now, now)))
    record(moved, now=now)
    announce(moved)
    columns = ("state", "dispatch_id", "queued_by", "wait_reason", "wait_detail", "retry_at", "wait_since", "updated_at")
    update_each(TaskInstance, columns, written)
    return rows


# -------------------------------------------------------------------------------------------------- the workers' edges


def start(starts: Sequence[Start], *, now: datetime, lease_seconds: float) -> dict[UUID, Answer]:
    """A worker begins attempts: queued becomes running under a lease.

    Only the dispatch that is queued now wins. The same worker asking again is told the same (invariant I5); anybody
    else loses with the state found.
    """
    asked = {item.ti_id: item for item in starts}
    found = {row.id: row for row in _locked(asked)}
    winners = [row for row in found.values() if row.state in EDGES[S.RUNNING] and _speaks_for(row, asked[row.id].dispatch_id)]
    answers = {ti_id: _start_answer(found.get(ti_id), item) for ti_id, item in asked.items()}
    record([Moved(row, S.RUNNING) for row in winners], now=now)
    written = []
    for row in winners:
        item, before = asked[row.id], row.state
        row.hostname, row.unixname, row.pid = item.hostname, item.unixname, item.pid
        row.start_date = row.start_date if row.next_method else item.start_date  # a resumed try began before its wait
        row.state = S.RUNNING
        written.append((row.id, before, (S.RUNNING, row.start_date, row.hostname, row.unixname, row.pid, None, None, None, now)))
        answers[row.id] = Answer(won=True, previous_state=before, instance=row)
    update_each(
        TaskInstance,
        ("state", "start_date", "hostname", "unixname", "pid", "wait_reason", "wait_detail", "wait_since", "updated_at"),
        written,
    )
    _lease(winners, now=now, lease_seconds=lease_seconds)
    return answers


def _start_answer(row: TaskInstance | None, item: Start) -> Answer:
    if row is None:
        return refusal(item.ti_id)
    same_worker = (row.hostname, row.pid) == (item.hostname, item.pid) and _speaks_for(row, item.dispatch_id)
    if row.state == S.RUNNING and same_worker:
        return Answer(repeated=True, previous_state=row.state, instance=row)
    return Answer(previous_state=row.state, reason="invalid_state", instance=row)


def _lease(rows: Sequence[TaskInstance], *, now: datetime, lease_seconds: float) -> None:
    expires_at = now + timedelta(seconds=lease_seconds)
    TaskLease.objects.bulk_create(
        [
            TaskLease(
                ti_id=row.id,
                dag_run_id=row.dag_run_id,
                dispatch_id=row.dispatch_id or NO_DISPATCH,
                owner=f"{row.hostname}:{row.pid}",
                renewed_at=now,
                expires_at=expires_at,
            )
            for row in rows
        ],
        update_conflicts=True,
        unique_fields=["ti_id"],
        update_fields=["dispatch_id", "owner", "renewed_at", "expires_at"],
    )


def _release(ids: Iterable[UUID]) -> None:
    """Delete the leases of attempts; several are locked by primary key first, as ``renew`` does, so that none waits in a ring."""
    released = list(ids)
    if released:
        leases = TaskLease.objects.filter(ti_id__in=released).select_for_update().order_by("pk")
        TaskLease.objects.filter(pk__in=leases.values("pk")[: len(released)]).delete()


def renew(renewals: Sequence[Renewal], *, now: datetime, lease_seconds: float) -> dict[UUID, Answer]:
    """A worker says that its attempts still run: their leases are extended; the attempts' rows are not touched.

    A renewal that loses means that the attempt is no longer this worker's: it must stop.
    """
    asked = {item.ti_id: item for item in renewals}
    locked = TaskLease.objects.filter(ti_id__in=list(asked)).select_for_update().order_by("pk")
    leases = {lease.ti_id: lease for lease in locked}
    held = [i for i, lease in leases.items() if asked[i].dispatch_id in (None, lease.dispatch_id)]
    won = TaskLease.objects.filter(ti_id__in=held)
    won.update(renewed_at=now, expires_at=now + timedelta(seconds=lease_seconds))
    answers = {ti_id: Answer(won=True, previous_state=S.RUNNING) for ti_id in held}
    lost = [ti_id for ti_id in asked if ti_id not in answers]
    found = TaskInstance.objects.in_bulk(lost) if lost else {}
    for ti_id in lost:
        row = found.get(ti_id)
        answers[ti_id] = Answer(previous_state=row.state, reason="not_running", instance=row) if row else refusal(ti_id)
    return answers


def finish(reports: Sequence[Report], *, now: datetime) -> dict[UUID, Answer]:
    """A worker ends attempts: running becomes success, failed, skipped, removed or up_for_retry.

    A failure whose cause is the platform's becomes a retry out of the infrastructure budget, whatever was reported.
    """
    asked = {item.ti_id: item for item in reports}
    found = {row.id: row for row in _locked(asked)}
    winners = [row for row in found.values() if row.state == S.RUNNING and _speaks_for(row, asked[row.id].dispatch_id)]
    answers = {ti_id: _finish_answer(found.get(ti_id), item) for ti_id, item in asked.items()}
    answers |= {row.id: Answer(won=True, previous_state=row.state, instance=row) for row in winners}
    _end([(row, asked[row.id]) for row in winners], now=now)
    return answers


def _finish_answer(row: TaskInstance | None, item: Report) -> Answer:
    if row is None:
        return refusal(item.ti_id, item.state)
    if row.state == item.state and _speaks_for(row, item.dispatch_id):
        return Answer(repeated=True, previous_state=row.state, instance=row)
    return Answer(previous_state=row.state, reason="invalid_state", instance=row)


def lose(reports: Sequence[Report], *, now: datetime, expired_only: bool = False) -> list[TaskInstance]:
    """End running attempts whose worker is gone, since nobody else can report for them any more.

    The reports name the dispatch that was seen lost; a hand-over made since is left alone, and with ``expired_only`` also
    an attempt whose lease was renewed since. Returns the rows that moved.
    """
    asked = {item.ti_id: item for item in reports}
    rows = [r for r in _locked(asked, {S.RUNNING, S.RESTARTING}) if _speaks_for(r, asked[r.id].dispatch_id)]
    if expired_only:
        leases = TaskLease.objects.filter(ti_id__in=list(asked), expires_at__lt=now).select_for_update().order_by("pk")
        expired = set(leases.values_list("ti_id", flat=True))
        TaskLease.objects.filter(ti_id__in=expired - {row.id for row in rows}).delete()  # nobody's: it would be found for ever
        rows = [row for row in rows if row.id in expired]
    _end([(row, asked[row.id]) for row in rows], now=now, leaves=CALLBACKS)
    return rows


def fail_unstarted(reports: Sequence[Report], *, now: datetime) -> list[TaskInstance]:
    """Fail attempts that an executor can never start; the author's retries apply as after any other failure (C02-d).

    Returns the rows that moved.
    """
    asked = {item.ti_id: item for item in reports}
    rows = [r for r in _locked(asked, {S.SCHEDULED, S.QUEUED}) if _speaks_for(r, asked[r.id].dispatch_id)]
    _end([(row, asked[row.id]) for row in rows], now=now, leaves=CALLBACKS)
    return rows


def remove_unstarted(ids: Collection[UUID], *, now: datetime) -> list[TaskInstance]:
    """Remove attempts that no worker has begun, because their DAG is gone (C02-c). Returns the rows that moved."""
    rows = _locked(ids, {S.SCHEDULED, S.QUEUED})
    moved = [Moved(row, S.REMOVED, Cause.DAG_NOT_FOUND, revoked=row.state == S.QUEUED) for row in rows]
    record(moved, now=now)
    announce(moved)
    TaskInstance.objects.filter(id__in=[row.id for row in rows]).update(
        state=S.REMOVED, end_date=now, dispatch_id=None, cause=Cause.DAG_NOT_FOUND, updated_at=now, **_NO_WAIT
    )
    return rows


def _end(ends: Sequence[tuple[TaskInstance, Report]], *, now: datetime, leaves: str = "") -> None:
    """Write the ends of locked attempts: those tried again are archived and get a new id, the others keep theirs.

    ``leaves`` says what nobody but the server can do any more, where the report does not say it itself.
    """
    if not ends:
        return
    ends = ruled(ends)
    _release(row.id for row, _ in ends)
    again = [(row, item) for row, item in ends if _is_tried_again(row, item)]
    ended = [(row, item) for row, item in ends if not _is_tried_again(row, item)]
    moved = [
        Moved(row, _end_state(item), item.cause, leaves=leaves or item.leaves, detail=item.cause_detail) for row, item in ended
    ]
    record(moved, now=now)
    announce(moved)
    rows = [(row.id, row.state, (_end_state(item), *_evidence(row, item).values(), None, None, now)) for row, item in ended]
    update_each(TaskInstance, ("state", *_EVIDENCE, "wait_reason", "wait_since", "updated_at"), rows)
    successes_note(ended, now=now)
    _try_again(again, now=now, leaves=leaves)


_EVIDENCE = (
    "end_date", "duration", "cause", "cause_detail", "exit_code", "signal", "peak_rss_kb", "rendered_map_index",
)  # fmt: skip


def _evidence(row: TaskInstance, item: Report) -> dict[str, Any]:
    duration = (item.end_date - row.start_date).total_seconds() if row.start_date else None
    index = item.rendered_map_index or row.rendered_map_index
    values = (item.end_date, duration, item.cause or None, item.cause_detail or None, item.exit_code, item.signal)
    return dict(zip(_EVIDENCE, (*values, item.peak_rss_kb, index), strict=True))


def _is_tried_again(row: TaskInstance, item: Report) -> bool:
    if item.final:
        return False
    if item.state in (S.FAILED, S.UP_FOR_RETRY) and item.cause in INFRA_CAUSES:
        return infra_budget_left(row) or row.try_number <= row.max_tries
    return item.state == S.UP_FOR_RETRY


def _end_state(item: Report) -> str:
    return S.FAILED if item.cause in INFRA_CAUSES and item.state == S.UP_FOR_RETRY else item.state


def _try_again(ends: Sequence[tuple[TaskInstance, Report]], *, now: datetime, leaves: str = "") -> None:
    """Archive failed attempts and give the task instances the id of the next try (uuid7, new per try)."""
    tasks = tasks_of(row for row, _ in ends)
    past, moved, written = [], [], []
    for row, item in ends:
        infra = item.cause in INFRA_CAUSES and infra_budget_left(row)
        wait = infra_retry_delay(row.infra_tries) if infra else item.retry_delay
        wait = retry_delay(tasks.get((row.dag_version_id, row.task_id)), row.try_number, row) if wait is None else wait
        due, next_id = now + timedelta(seconds=wait), new_id()
        # A try that the infrastructure took is given back: the next one is counted, so the limit moves with it.
        limits = (row.max_tries + 1, row.infra_tries + 1) if infra else (row.max_tries, row.infra_tries)
        past.append((row, {"state": S.FAILED} | _evidence(row, item)))
        left, detail = leaves or item.leaves, item.cause_detail
        moved.append(Moved(row, S.UP_FOR_RETRY, item.cause, event_id=next_id, due_at=due, leaves=left, detail=detail))
        fresh = (*FRESH.values(), *limits, item.queue or row.queue, due, "retry_at", now, now)
        written.append((row.id, row.state, (next_id, S.UP_FOR_RETRY, *fresh)))
    archive(past)
    record(moved, now=now)
    announce(moved)
    columns = ("id", "state", *FRESH, "max_tries", "infra_tries", "queue", "retry_at", "wait_reason", "wait_since", "updated_at")
    update_each(TaskInstance, columns, written)


def reschedule(requests: Sequence[Reschedule], *, now: datetime) -> dict[UUID, Answer]:
    """A sensor gives its slot back until a time: running becomes up_for_reschedule within the same try."""
    asked = {item.ti_id: item for item in requests}
    found = {row.id: row for row in _locked(asked)}
    winners = [row for row in found.values() if row.state == S.RUNNING and _speaks_for(row, asked[row.id].dispatch_id)]
    answers = {i: _wait_answer(found.get(i), item.dispatch_id, i, S.UP_FOR_RESCHEDULE) for i, item in asked.items()}
    answers |= {row.id: Answer(won=True, previous_state=row.state, instance=row) for row in winners}
    _release(row.id for row in winners)
    moved = [Moved(row, S.UP_FOR_RESCHEDULE, due_at=asked[row.id].reschedule_date) for row in winners]
    record(moved, now=now)
    announce(moved)
    TaskReschedule.objects.bulk_create(
        TaskReschedule(
            ti_id=row.id,
            dag_run_id=row.dag_run_id,
            try_number=row.try_number,
            start_date=row.start_date or now,
            end_date=asked[row.id].end_date,
            reschedule_date=asked[row.id].reschedule_date,
        )
        for row in winners
    )
    written = [
        (row.id, row.state, (S.UP_FOR_RESCHEDULE, asked[row.id].reschedule_date, "reschedule", now, now)) for row in winners
    ]
    update_each(TaskInstance, ("state", "retry_at", "wait_reason", "wait_since", "updated_at"), written)
    return answers


def defer(deferrals: Sequence[Deferral], *, now: datetime) -> dict[UUID, Answer]:
    """A worker hands attempts to triggers: running becomes deferred, with the trigger's row in the same transaction."""
    asked = {item.ti_id: item for item in deferrals}
    found = {row.id: row for row in _locked(asked)}
    winners = [row for row in found.values() if row.state == S.RUNNING and _speaks_for(row, asked[row.id].dispatch_id)]
    answers = {i: _wait_answer(found.get(i), item.dispatch_id, i, S.DEFERRED) for i, item in asked.items()}
    answers |= {row.id: Answer(won=True, previous_state=row.state, instance=row) for row in winners}
    _release(row.id for row in winners)
    moved = [Moved(row, S.DEFERRED) for row in winners]
    record(moved, now=now)
    announce(moved)
    _hand_to_triggers([(row, asked[row.id]) for row in winners], now=now)
    return answers


def await_input(waits: Sequence[InputWait], *, now: datetime) -> dict[UUID, Answer]:
    """A worker hands attempts to people: running becomes awaiting_input, and scheduled at once where the answer is there."""
    asked = {item.ti_id: item for item in waits}
    found = {row.id: row for row in _locked(asked)}
    winners = [row for row in found.values() if row.state == S.RUNNING and _speaks_for(row, asked[row.id].dispatch_id)]
    answers = {i: _wait_answer(found.get(i), item.dispatch_id, i, S.AWAITING_INPUT) for i, item in asked.items()}
    answers |= {row.id: Answer(won=True, previous_state=row.state, instance=row) for row in winners}
    _release(row.id for row in winners)
    moved = [Moved(row, S.AWAITING_INPUT) for row in winners]
    record(moved, now=now)
    announce(moved)
    written = []
    for row in winners:
        item = asked[row.id]
        index = item.rendered_map_index or row.rendered_map_index
        wait = (item.next_method, item.next_kwargs, item.timeout, index, "input", now, now)
        written.append((row.id, row.state, (S.AWAITING_INPUT, *wait)))
    columns = ("next_method", "next_kwargs", "trigger_timeout", "rendered_map_index", "wait_reason", "wait_since")
    update_each(TaskInstance, ("state", *columns, "updated_at"), written)
    resume(begin_waits({row.id: asked[row.id].timeout for row in winners}), now=now)
    return answers


def start_in_trigger(deferrals: Sequence[Deferral], *, now: datetime) -> list[TaskInstance]:
    """The scheduler hands attempts to triggers that no worker has begun: scheduled becomes deferred.

    Only the owner of the run calls it, so no ``RunEvent`` is written. Returns the rows that moved, as they are now.
    """
    asked = {item.ti_id: item for item in deferrals}
    rows = _locked(asked, {S.SCHEDULED})
    record([Moved(row, S.DEFERRED) for row in rows], now=now)
    for row in rows:
        row.start_date = row.start_date or now
    _hand_to_triggers([(row, asked[row.id]) for row in rows], now=now)
    for row in rows:
        row.state = S.DEFERRED
    return rows


def _hand_to_triggers(waits: Sequence[tuple[TaskInstance, Deferral]], *, now: datetime) -> None:
    if not waits:
        return
    written = []
    for row, item in waits:
        trigger = Trigger.objects.create(
            ti_id=row.id,
            classpath=item.classpath,
            encrypted_kwargs=kwargs_sealed(item.kwargs),
            created_date=now,
            queue=item.queue,
        )
        wait = (trigger.pk, item.trigger_timeout, item.next_method, item.next_kwargs, "trigger", now, row.start_date, now)
        written.append((row.id, row.state, (S.DEFERRED, *wait)))
    columns = ("trigger_id", "trigger_timeout", "next_method", "next_kwargs", "wait_reason", "wait_since", "start_date")
    update_each(TaskInstance, ("state", *columns, "updated_at"), written)
    notify_on_commit(TRIGGERER_TOPIC)


def _wait_answer(row: TaskInstance | None, dispatch_id: UUID | None, ti_id: UUID, state: str) -> Answer:
    if row is None:
        return refusal(ti_id)
    if row.state == state and _speaks_for(row, dispatch_id):
        return Answer(repeated=True, previous_state=row.state, instance=row)
    return Answer(previous_state=row.state, reason="invalid_state", instance=row)


# ------------------------------------------------------------------------------------------------ triggers' edges


def resume(resumptions: Sequence[Resumption], *, now: datetime) -> list[TaskInstance]:
    """Waits are over: deferred or awaiting_input becomes scheduled within the same try, the trigger's row goes.

    Of two that end the same wait (an event and its timeout, two triggerers) the first wins (C15-c). Returns the rows
    that moved, as they were.
    """
    asked = {item.ti_id: item for item in resumptions}
    rows = _waiting_for(asked, {S.DEFERRED, S.AWAITING_INPUT})
    moved = [Moved(row, S.SCHEDULED) for row in rows]
    record(moved, now=now)
    announce(moved)
    written = []
    for row in rows:
        goes_on = told(asked[row.id], row.next_method, row.next_kwargs)
        written.append((row.id, row.state, (S.SCHEDULED, *goes_on, None, None, None, now, "slots", now, now)))
    columns = ("next_method", "next_kwargs", "trigger_id", "trigger_timeout", "dispatch_id", "scheduled_dttm")
    update_each(TaskInstance, ("state", *columns, "wait_reason", "wait_since", "updated_at"), written)
    return rows


def end_by_trigger(ends: Sequence[EndByTrigger], *, now: datetime) -> list[TaskInstance]:
    """Triggers end their tasks without a worker; a failure becomes a retry while there are retries left.

    Returns the rows that ended for good, as they were: those are the ones whose XComs count.
    """
    asked = {item.ti_id: item for item in ends}
    rows = _waiting_for(asked, {S.DEFERRED})
    again = [row for row in rows if asked[row.id].state == S.FAILED and row.try_number <= row.max_tries and row.max_tries]
    final = [row for row in rows if row not in again]
    states = {row.id: S.UP_FOR_RETRY if row in again else S(asked[row.id].state) for row in rows}
    causes = {S.FAILED: Cause.USER_EXCEPTION, S.UP_FOR_RETRY: Cause.USER_EXCEPTION, S.SKIPPED: Cause.SKIP}
    said = "its trigger ended the task"
    reports = [(r, Report(r.id, None, states[r.id], now, None, causes.get(states[r.id], ""), said)) for r in rows]
    _end(with_outlets(reports), now=now, leaves=CALLBACKS)
    TaskInstance.objects.filter(id__in=[row.id for row in final]).update(trigger_id=None, trigger_timeout=None)
    return final


def _waiting_for(asked: Mapping[UUID, Resumption | EndByTrigger], states: Collection[str]) -> list[TaskInstance]:
    """Lock the attempts that still wait for the trigger named, and delete all the triggers named."""
    rows = [row for row in _locked(asked, states) if row.trigger_id == asked[row.id].trigger_id]
    if triggers := [item.trigger_id for item in asked.values() if item.trigger_id is not None]:
        Trigger.objects.filter(id__in=triggers).delete()
    return rows


def _drop_triggers(rows: Iterable[TaskInstance]) -> None:
    """Delete the triggers of attempts that are taken out of their wait; their triggerer is told."""
    waits = [row.trigger_id for row in rows if row.trigger_id is not None]
    if waits:
        Trigger.objects.filter(id__in=waits).delete()
        notify_on_commit(TRIGGERER_TOPIC)


# ------------------------------------------------------------------------------------------------ people's edges


def clear(ids: Collection[UUID], *, now: datetime, actor: str = "") -> list[TaskInstance]:
    """Make task instances undecided again, whatever they are; an attempt that ran is archived and its lease revoked.

    The worker of a running attempt learns it at its next heartbeat, whose id is no longer current. Returns the rows
    that moved, as they were.
    """
    rows = _locked(ids, EDGES[None])
    archive(
        (row, {"state": row.state if row.state in FINISHED else S.FAILED, "cause": row.cause or Cause.CLEARED})
        for row in rows
        if row.state in _HAS_AN_ATTEMPT and row.try_number > 0
    )
    until = fence(rows)
    _release(row.id for row in rows if row.id not in until)
    _drop_triggers(rows)
    tasks = tasks_of(rows)
    moved, written = [], []
    for row in rows:
        next_id = new_id()
        moved.append(Moved(row, None, Cause.CLEARED, actor, event_id=next_id, revoked=row.state in _WITH_A_WORKER))
        max_tries = row.try_number + (task.retries if (task := tasks.get((row.dag_version_id, row.task_id))) else 0)
        wait = (until.get(row.id), PREVIOUS_ATTEMPT if row.id in until else "upstream")
        written.append((row.id, row.state, (next_id, None, *FRESH.values(), max_tries, 0, *wait, now, now)))
    record(moved, now=now)
    announce(moved)
    columns = ("id", "state", *FRESH, "max_tries", "infra_tries", "retry_at", "wait_reason", "wait_since", "updated_at")
    update_each(TaskInstance, columns, written)
    return rows


def _marked(state: str, actor: str) -> str:
    return f"marked {state} by {actor}" if actor else f"marked {state}"


def mark(ids: Collection[UUID], state: str, *, now: datetime, actor: str, cause: str = Cause.MARKED) -> list[TaskInstance]:
    """Set task instances to success, failed or skipped by decision of a person or of a run that ends. Returns the moved."""
    rows = _locked(ids, EDGES[S(state)])
    _release(row.id for row in rows)
    _drop_triggers(rows)
    left = {row.id: CALLBACKS if state == S.FAILED and row.state in _BEGUN else "" for row in rows}
    moved = [
        Moved(row, state, cause, actor, revoked=row.state in _WITH_A_WORKER, leaves=left[row.id], detail=_marked(state, actor))
        for row in rows
    ]
    record(moved, now=now)
    announce(moved)
    written = []
    for row in rows:
        start, end = row.start_date or now, row.end_date or now
        times = (start, end, max((end - start).total_seconds(), 0.0))
        written.append((row.id, row.state, (state, *times, None, None, None, cause, actor or None, now, *_NO_WAIT.values())))
    columns = ("state", "start_date", "end_date", "duration", "dispatch_id", "trigger_id", "retry_at", "cause", "cause_detail")
    update_each(TaskInstance, (*columns, "updated_at", *_NO_WAIT), written)
    return rows


# --------------------------------------------------------------------------------------------------- a run's edges


def start_run(run_pk: int, *, scheduler_id: UUID, now: datetime) -> bool:
    """Begin a queued run under a scheduler. False: another scheduler did, or it is not queued any more."""
    values: dict[str, Any] = {"start_date": now, "end_date": None, "scheduler_id": scheduler_id}
    return _move_run(run_pk, DagRunState.RUNNING, {DagRunState.QUEUED}, now=now, **values)


def finish_run(
    run_pk: int,
    state: str,
    *,
    now: datetime,
    cause: str = "",
    scheduler_id: UUID | None = None,
    whatever_the_news: bool = False,
) -> str:
    """End a running run as its tasks say; one that somebody stopped has failed, whatever they say.

    Returns the state that it has now. Empty: it was not running any more, is another scheduler's than ``scheduler_id``, or
    has news that were not taken in when it was judged: a task cleared a moment ago would never run.
    """
    run = for_update(DagRun.objects.filter(pk=run_pk, state=DagRunState.RUNNING)).first()
    if run is None or scheduler_id not in (None, run.scheduler_id):
        return ""
    if not whatever_the_news and RunEvent.objects.filter(dag_run_id=run_pk).exists():
        return ""
    state = DagRunState.FAILED if run.stopped_by else state
    return state if _move_run(run_pk, state, {DagRunState.RUNNING}, now=now, cause=cause, end_date=now) else ""


def set_run_state(run_pk: int, state: str, *, now: datetime, actor: str, cause: str = "") -> bool:
    """Set a run's state by decision of a person; its owner reads it again. False: it was so already."""
    again = {"start_date": None, "end_date": None, "queued_at": now, "stopped_by": None}
    ended: dict[str, Any] = {"end_date": now} if state in DAG_RUN_FINISHED else again
    moved = _move_run(run_pk, state, RUN_EDGES[DagRunState(state)], now=now, actor=actor, cause=cause, **ended)
    if moved:
        announce_run(run_pk)
        if state == DagRunState.QUEUED:
            detach_from_closed(run_pk)
    return moved


def _move_run(
    run_pk: int, state: str, allowed: Iterable[str], *, now: datetime, actor: str = "", cause: str = "", **values: Any
) -> bool:
    run = for_update(DagRun.objects.filter(pk=run_pk, state__in=list(allowed))).first()
    if run is None:
        return False
    record_run(run, state, now=now, actor=actor, cause=cause)
    moved = DagRun.objects.filter(pk=run_pk, state=run.state).update(state=state, updated_at=now, **values, **_NO_WAIT)
    if moved:
        tell_run(run, state, now=now, actor=actor, cause=cause, **values)
    return bool(moved)
