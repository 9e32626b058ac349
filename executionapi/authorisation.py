"""Decides who may ask what: token present, signed, of the right scope, for this attempt, and not outlived by its lease."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from executionapi.calls import Call, Operation
from executionapi.replies import RefusalError, Reply
from orchestrator.kernel.tokens import TokenError
from runs.models import TaskLease
from runs.workload_tokens import EXECUTION, WORKLOAD, TaskToken, is_expired, issue_execution_token, read_token

REFRESHED: Final = "Refreshed-API-Token"
# The share of a token's life after which the answer brings the next one.
REFRESH_AFTER: Final = 1 / 3


def bearer_of(authorization: str | None) -> str | None:
    """The token in an ``Authorization`` header."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def authorise(operation: Operation, call: Call) -> None:
    """Put the token's content on the call; no query. Raises RefusalError 401 or 403."""
    if operation.public:
        return
    if call.bearer is None:
        raise RefusalError(401, "Missing auth token")
    try:
        token = read_token(call.bearer)
    except TokenError:
        raise RefusalError(403, "Invalid auth token") from None
    if token.scope not in (EXECUTION, WORKLOAD):
        raise RefusalError(403, "Invalid auth token")
    if token.scope not in operation.scopes:
        allowed = ", ".join(sorted(operation.scopes))
        raise RefusalError(403, f"Token type '{token.scope}' not allowed for this endpoint. Allowed types: {allowed}")
    if operation.own and token.subject != call.args["task_instance_id"].lower():
        raise RefusalError(403, "Token subject does not match task instance ID")
    call.token = token


def outlived(calls: Iterable[Call]) -> set[int]:
    """The positions of calls whose execution token is over and whose attempt holds no lease any more (C05-b).

    A lease that ran out still counts until somebody takes the attempt away: after an outage of the server the worker
    has done nothing wrong. Costs one query, and only where a token is over. A workload token ends with its dispatch.
    """
    now = time.time()
    over = {
        position: call.token
        for position, call in enumerate(calls)
        if call.token is not None and call.token.scope == EXECUTION and is_expired(call.token, now)
    }
    if not over:
        return set()
    held = dict(TaskLease.objects.filter(ti_id__in=_uuids(over.values())).values_list("ti_id", "dispatch_id"))
    live = {(str(ti_id), dispatch_id) for ti_id, dispatch_id in held.items()}
    return {position for position, token in over.items() if (token.subject, token.dispatch_id) not in live}


def refresh(call: Call, reply: Reply) -> None:
    """Add a new execution token to a good answer, where the token of the call is due for it."""
    token = call.token
    if token is None or token.scope != EXECUTION or reply.status >= 400 or REFRESHED in reply.headers:
        return
    if time.time() - token.issued_at > token.lifetime * REFRESH_AFTER:
        reply.headers[REFRESHED] = issue_execution_token(token.subject, token.dispatch_id)


def swap(call: Call, reply: Reply) -> None:
    """Give the execution token for the workload token that started the attempt."""
    token: TaskToken | None = call.token
    if token is not None and token.scope == WORKLOAD:
        reply.headers[REFRESHED] = issue_execution_token(token.subject, token.dispatch_id)


def _uuids(tokens: Iterable[TaskToken]) -> set[UUID]:
    found = set()
    for token in tokens:
        with contextlib.suppress(ValueError):
            found.add(UUID(token.subject))
    return found
