"""Decides what the rules on causes say about a failed attempt: retry elsewhere, fail, or skip (C25-c)."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any
from uuid import UUID

from dags_app.selectors import SpecUnreadableError, spec_of
from orchestrator.config import conf
from orchestrator.sdk.serialization.cause_rules import cause_rules
from runs.causes import INFRA_CAUSES
from runs.models import TaskInstance
from runs.reports import Report
from runs.states import TaskInstanceState as S

log = logging.getLogger(__name__)

_FAILURES = (S.FAILED, S.UP_FOR_RETRY)


def ruled(ends: Sequence[tuple[TaskInstance, Report]]) -> list[tuple[TaskInstance, Report]]:
    """Return the ends as the rules of their DAGs, then those of the configuration, want them; the first that fits decides.

    A retry by rule uses the author's ``retries`` like any other. What the infrastructure lost has a budget of its own and
    is left alone, but for a rule that names its cause.
    """
    failed = {row.dag_version_id for row, item in ends if _may_rule(item)}
    rules = {version_id: [*_of_dag(version_id), *_configured()] for version_id in failed}  # each version is read once
    return [(row, _ruled(row, item, rules[row.dag_version_id]) if _may_rule(item) else item) for row, item in ends]


def _may_rule(item: Report) -> bool:
    return item.state in _FAILURES and bool(item.cause)


def _ruled(row: TaskInstance, item: Report, rules: list[dict[str, Any]]) -> Report:
    rule = next((rule for rule in rules if _fits(rule, item)), None)
    if rule is None:
        return item
    detail = f"{item.cause_detail} (retry rule: {rule['action']})".strip()
    if rule["action"] == "skip":
        return replace(item, state=S.SKIPPED, cause_detail=detail)
    if rule["action"] == "fail" or row.try_number > row.max_tries:
        return replace(item, state=S.FAILED, cause_detail=detail, final=True)
    wait = rule.get("delay", item.retry_delay)
    return replace(item, state=S.UP_FOR_RETRY, cause_detail=detail, retry_delay=wait, queue=rule.get("queue"))


def _fits(rule: dict[str, Any], item: Report) -> bool:
    if "cause" in rule:
        return bool(rule["cause"] == item.cause) and rule.get("exit_code", item.exit_code) == item.exit_code
    return item.cause not in INFRA_CAUSES and bool(rule["exit_code"] == item.exit_code)


def _of_dag(version_id: UUID | None) -> list[dict[str, Any]]:
    if version_id is None:
        return []
    try:
        return spec_of(version_id).retry_rules
    except SpecUnreadableError:
        return []


def _configured() -> list[dict[str, Any]]:
    return _read(str(conf.get("scheduler", "retry_rules") or ""))


@lru_cache(maxsize=4)
def _read(text: str) -> list[dict[str, Any]]:
    """Return the rules of the configuration; wrong ones are none, and said once."""
    if not text.strip():
        return []
    try:
        return cause_rules(json.loads(text), "[scheduler] retry_rules")
    except ValueError as error:
        log.error("%s; no rule of the configuration applies until it is corrected", error)
        return []
