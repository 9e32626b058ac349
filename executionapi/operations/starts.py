"""Decides the answer to a worker that begins attempts: ``PATCH task-instances/{id}/run``."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final
from uuid import UUID

from django.db.models import Count

from executionapi.authorisation import swap
from executionapi.calls import Call, Operation
from executionapi.documents import run_documents
from executionapi.fields import Field, instant, integer, one_of, read_object, text
from executionapi.replies import Reply, attempt_not_found, refusal
from executionapi.versions import run_context_for
from orchestrator.config import conf
from orchestrator.kernel.clock import isoformat_z, utcnow
from orchestrator.kernel.faults import fault_point
from runs import transitions
from runs.models import DagRun, TaskInstance, TaskReschedule, XCom
from runs.reports import Answer, Start
from runs.states import TaskInstanceState as S

_FIELDS: Final = (
    Field("state", one_of("running")),
    Field("hostname", text),
    Field("unixname", text),
    Field("pid", integer),
    Field("start_date", instant),
)


def read(call: Call) -> Start:
    """The start that a worker asks for."""
    ti_id = call.ti_id
    body = read_object(call.body, _FIELDS)
    del body["state"]
    return Start(ti_id=ti_id, dispatch_id=call.dispatch_id, **body)


def work(calls: list[Call]) -> list[Reply]:
    """Start all, then gather what the winners need: runs, XCom keys and pokes, one query each."""
    fault_point("api.before_start")
    lease_seconds = conf.get("workers", "lease_seconds")
    answers = transitions.start([call.value for call in calls], now=utcnow(), lease_seconds=lease_seconds)
    fault_point("api.after_start")
    begun = [a.instance for a in answers.values() if a.accepted and a.instance is not None]
    contexts = _contexts(begun, {a.instance.pk: a for a in answers.values() if a.instance is not None})
    return [_reply(call, answers[call.value.ti_id], contexts) for call in calls]


def _reply(call: Call, answer: Answer, contexts: dict[UUID, dict[str, Any]]) -> Reply:
    if answer.accepted and answer.instance is not None:
        reply = Reply(200, contexts[answer.instance.pk])
        swap(call, reply)
        return reply
    if answer.instance is None:
        return attempt_not_found(call.value.ti_id).reply
    state = answer.instance.state
    is_stale = answer.instance.dispatch_id != call.dispatch_id
    reason = "stale_dispatch" if is_stale and state != S.RUNNING else "invalid_state"
    message = f"The task instance cannot start because it is {state or 'not scheduled'}"
    if reason == "stale_dispatch":
        message = "The task instance was handed over again since; only the latest hand-over can start it"
    return refusal(409, reason, message, previous_state=state).reply


def _contexts(begun: list[TaskInstance], answers: dict[UUID, Answer]) -> dict[UUID, dict[str, Any]]:
    if not begun:
        return {}
    runs = run_documents(DagRun.objects.filter(pk__in={row.dag_run_id for row in begun}))
    keys = _xcom_keys(begun)
    pokes = dict(
        TaskReschedule.objects.filter(ti_id__in=[row.pk for row in begun]).values_list("ti_id").annotate(Count("pk")).order_by()
    )
    return {
        row.pk: _context(
            row, answers[row.pk].previous_state, runs[row.dag_run_id], keys.get(_place(row), []), pokes.get(row.pk, 0)
        )
        for row in begun
    }


def _context(row: TaskInstance, previous_state: str | None, run: dict[str, Any], keys: list[str], pokes: int) -> dict[str, Any]:
    context: dict[str, Any] = {
        "dag_run": run,
        "task_reschedule_count": pokes,
        "max_tries": row.max_tries,
        "variables": [],
        "connections": [],
        "xcom_keys_to_clear": [] if row.next_method else keys,
        "should_retry": previous_state == S.RESTARTING or (row.max_tries != 0 and row.try_number <= row.max_tries),
    }
    if row.next_method:
        context["next_method"] = row.next_method
        context["next_kwargs"] = row.next_kwargs
        context["start_date"] = isoformat_z(row.start_date) if row.start_date else None
    return context


def _place(row: TaskInstance) -> tuple[int, str, int]:
    return (row.dag_run_id, row.task_id, row.map_index)


def _xcom_keys(begun: list[TaskInstance]) -> dict[tuple[int, str, int], list[str]]:
    """The XComs that earlier tries left; the SDK deletes them, because only it knows a custom XCom backend."""
    rows = XCom.objects.filter(
        dag_run_id__in={row.dag_run_id for row in begun},
        task_id__in={row.task_id for row in begun},
        map_index__in={row.map_index for row in begun},
    )
    keys: dict[tuple[int, str, int], list[str]] = defaultdict(list)
    for run_pk, task_id, map_index, key in rows.values_list("dag_run_id", "task_id", "map_index", "key").order_by("pk"):
        keys[run_pk, task_id, map_index].append(key)
    return keys


OPERATIONS: Final = (
    Operation(
        "PATCH", "task-instances/{task_instance_id}/run", work, read,
        scopes=("execution", "workload"), own=True, writes=True, rank=0, shape=run_context_for,
    ),
)  # fmt: skip
