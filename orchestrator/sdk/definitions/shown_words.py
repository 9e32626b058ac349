"""Decides the words that ``airflow.sdk`` gives: text in every comparison, their qualified name when shown, as authors know them.

The words of the same names under ``airflow.utils`` are shown as plain text; those are in ``states`` and ``rules``.
"""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import Any

from orchestrator.sdk.definitions import rules, states


class TaskInstanceState(str, Enum):  # noqa: UP042 - str() must give the qualified name, which StrEnum does not
    """State of a task instance."""

    REMOVED = "removed"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    RESTARTING = "restarting"
    FAILED = "failed"
    UP_FOR_RETRY = "up_for_retry"
    UP_FOR_RESCHEDULE = "up_for_reschedule"
    UPSTREAM_FAILED = "upstream_failed"
    SKIPPED = "skipped"
    DEFERRED = "deferred"
    AWAITING_INPUT = "awaiting_input"


class DagRunState(str, Enum):  # noqa: UP042
    """State of a run."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"


class DagRunType(str, Enum):  # noqa: UP042
    """What made a run."""

    BACKFILL = "backfill"
    SCHEDULED = "scheduled"
    MANUAL = "manual"
    OPERATOR_TRIGGERED = "operator_triggered"
    ASSET_TRIGGERED = "asset_triggered"
    ASSET_MATERIALIZATION = "asset_materialization"


def _shown(words: type[StrEnum]) -> Any:
    return Enum(words.__name__, [(word.name, word.value) for word in words], type=str, module=__name__)


TerminalTIState = _shown(states.TerminalTIState)
IntermediateTIState = _shown(states.IntermediateTIState)
TriggerRule = _shown(rules.TriggerRule)
WeightRule = _shown(rules.WeightRule)
