"""Decides the answer to a worker that says that attempts still run: ``PUT task-instances/{id}/heartbeat``."""

from __future__ import annotations

from typing import Final

from executionapi.calls import Call, Operation
from executionapi.fields import Field, integer, read_object, text
from executionapi.replies import Reply, attempt_gone, attempt_not_found, refusal
from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.faults import fault_point
from runs import transitions
from runs.models import TaskInstance
from runs.reports import Answer, Renewal
from runs.states import TaskInstanceState as S

_FIELDS: Final = (Field("hostname", text), Field("pid", integer))


def read(call: Call) -> Renewal:
    """The sign of life in a body."""
    return Renewal(call.ti_id, call.dispatch_id, **read_object(call.body, _FIELDS))


def work(calls: list[Call]) -> list[Reply]:
    """Renew all leases at once."""
    fault_point("api.before_renew")
    lease_seconds = conf.get("workers", "lease_seconds")
    answers = transitions.renew([call.value for call in calls], now=utcnow(), lease_seconds=lease_seconds)
    return [_reply(call, answers[call.value.ti_id]) for call in calls]


def _reply(call: Call, answer: Answer) -> Reply:
    """A worker that lost is told why and by whom, for the last line of the task's log (C03-e)."""
    if answer.accepted:
        return Reply(204)
    if answer.missing:
        return attempt_not_found(call.value.ti_id).reply
    if answer.instance is None:
        gone = attempt_gone(call.value.ti_id)
        gone.reply.body["detail"] |= {"cause": answer.reason, "actor": answer.actor}
        return gone.reply
    return _lost(answer.instance)


def _lost(row: TaskInstance) -> Reply:
    if row.state == S.RUNNING:
        message = f"The task instance runs under a later hand-over on {row.hostname}, process {row.pid}"
        return refusal(409, "running_elsewhere", message, current_hostname=row.hostname, current_pid=row.pid).reply
    message = f"The task instance is {row.state or 'not scheduled'} and no longer running; stop its process"
    more = {"cause": row.cause, "cause_detail": row.cause_detail} if row.cause else {}
    return refusal(409, "not_running", message, current_state=row.state, **more).reply


OPERATIONS: Final = (Operation("PUT", "task-instances/{task_instance_id}/heartbeat", work, read, own=True, writes=True, rank=2),)
