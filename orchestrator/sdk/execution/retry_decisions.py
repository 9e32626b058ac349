"""Decides what a task's retry policy says about an error; a policy that fails itself changes nothing."""

from __future__ import annotations

import logging
from typing import Any

from orchestrator.sdk.definitions.retry_policy import RetryDecision

log = logging.getLogger("task")


def policy_decision(ti: Any, context: dict[str, Any], error: BaseException) -> RetryDecision | None:
    """Return the decision of the task's ``retry_policy``; None where it has none, or its code fails."""
    policy = getattr(ti.task, "retry_policy", None)
    if policy is None:
        return None
    try:
        said = policy.evaluate(exception=error, try_number=ti.try_number, max_tries=ti.max_tries, context=context)
    except Exception:
        log.exception("Retry policy evaluation failed, falling back to default behaviour")
        return None
    if isinstance(said, RetryDecision):
        if said.reason:
            log.info("Retry policy decision. action=%s reason=%s", said.action.value, said.reason)
        return said
    log.error("the retry policy %s returned %r instead of a RetryDecision; it changes nothing", type(policy).__name__, said)
    return None
