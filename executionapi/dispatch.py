"""Decides the way of a call through one operation: authorise, read, work, fit to the version, refresh the token."""

from __future__ import annotations

from executionapi.authorisation import authorise, outlived, refresh
from executionapi.calls import Call, Operation
from executionapi.replies import RefusalError, Reply
from executionapi.units import AWAY, answer_all, database_unavailable, in_unit


def perform(operation: Operation, calls: list[Call]) -> list[Reply]:
    """Answer calls of one operation, in their order; one that is refused or fails never touches the others."""
    replies: dict[int, Reply] = {}
    for position, call in enumerate(calls):
        try:
            authorise(operation, call)
        except RefusalError as refused:
            replies[position] = refused.reply
    try:
        over = in_unit(lambda: outlived(calls), writes=False)
    except AWAY as error:
        return [database_unavailable(error) for _ in calls]
    replies |= {position: RefusalError(403, "Invalid auth token").reply for position in over}
    accepted = [p for p in range(len(calls)) if p not in replies and _is_read(operation, calls[p], p, replies)]
    if accepted:
        worked = answer_all(operation.work, [calls[p] for p in accepted], writes=operation.writes)
        replies |= dict(zip(accepted, worked, strict=True))
    return [_finished(operation, call, replies[position]) for position, call in enumerate(calls)]


def _is_read(operation: Operation, call: Call, position: int, replies: dict[int, Reply]) -> bool:
    if operation.read is None:
        return True
    try:
        call.value = operation.read(call)
    except RefusalError as refused:
        replies[position] = refused.reply
        return False
    return True


def _finished(operation: Operation, call: Call, reply: Reply) -> Reply:
    if operation.shape is not None and reply.status == 200:
        reply = Reply(reply.status, operation.shape(call.version, reply.body), reply.headers)
    refresh(call, reply)
    return reply
