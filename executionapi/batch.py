"""Decides how many requests in one body are answered: ``POST /execution/batch``.

Starts come first, finishes last, and requests of one attempt keep their order between, whatever stands beside them.
Requests of one operation are answered together, in one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, unquote

from executionapi.calls import Call, Operation
from executionapi.dispatch import perform
from executionapi.fields import MISSING, Field, anything, array, optional, read_object, text
from executionapi.replies import NO_CONTENT, RefusalError, Reply
from executionapi.routing import match
from orchestrator.kernel.faults import fault_point

MOST_REQUESTS: Final = 1000
_BATCH: Final = (Field("requests", array),)
_REQUEST: Final = (
    Field("id", anything),
    Field("method", text),
    Field("path", text),
    Field("token", optional(text), required=False),
    Field("body", anything, required=False, default=MISSING),
)


@dataclass(slots=True)
class _Group:
    operation: Operation
    positions: list[int] = field(default_factory=list)


def answer_batch(body: Any, version: str) -> Reply:
    """Answer every request of a batch; the batch itself fails only where it is no batch (422) or too long (413)."""
    requests = read_object(body, _BATCH)["requests"]
    if len(requests) > MOST_REQUESTS:
        detail = f"A batch has at most {MOST_REQUESTS} requests, this one has {len(requests)}"
        raise RefusalError(413, {"reason": "batch_too_long", "message": detail})
    calls: dict[int, tuple[Operation, Call]] = {}
    replies: dict[int, Reply] = {}
    for position, request in enumerate(requests):
        try:
            calls[position] = _call(request, position, version)
        except RefusalError as refused:
            replies[position] = refused.reply
    for group in grouped(calls):
        members = [calls[position][1] for position in group.positions]
        fault_point("api.before_group")
        replies |= dict(zip(group.positions, perform(group.operation, members), strict=True))
    return Reply(200, {"responses": [_response(request, replies[position]) for position, request in enumerate(requests)]})


def _call(request: Any, position: int, version: str) -> tuple[Operation, Call]:
    values = read_object(request, _REQUEST, ("body", "requests", position))
    path, _, query = values["path"].lstrip("/").partition("?")
    operation, args = match(values["method"].upper(), unquote(path), version)
    asked = parse_qs(query, keep_blank_values=True) if query else {}
    return operation, Call(args=args, query=asked, body=values["body"], bearer=values["token"], version=version)


def grouped(calls: dict[int, tuple[Operation, Call]]) -> list[_Group]:
    """Put calls of one operation together without changing the order of the calls that carry one token."""
    groups: list[_Group] = []
    newest: dict[str | None, int] = {}
    for position in sorted(calls, key=lambda p: calls[p][0].rank):
        operation, call = calls[position]
        owner = call.args.get("task_instance_id", call.bearer)
        # Two reports of one attempt never share a group: the second is judged by what the first made of the row.
        earliest = newest.get(owner, 0) + (operation.own and owner in newest)
        index = _place(groups, operation, earliest)
        groups[index].positions.append(position)
        newest[owner] = index
    return groups


def _place(groups: list[_Group], operation: Operation, earliest: int) -> int:
    for index in range(earliest, len(groups)):
        if groups[index].operation is operation:
            return index
    groups.append(_Group(operation))
    return len(groups) - 1


def _response(request: Any, reply: Reply) -> dict[str, Any]:
    return {
        "id": request.get("id") if isinstance(request, dict) else None,
        "status": reply.status,
        "body": None if reply.body is NO_CONTENT else reply.body,
        "headers": reply.headers,
    }
