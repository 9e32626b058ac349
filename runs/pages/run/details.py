"""Decides what the tab of a run's details says: every field, the configuration but for secrets, how long such runs take."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from accounts.services import masked
from orchestrator.ui.texts import code
from runs.models import DagRun
from runs.pages.run.head import RunHead, version_numbers
from runs.pages.usual import of_successes, quantile

# Above this a configuration is shown as plain text: colours would cost more than they tell.
MOST_COLOURED = 50_000


@dataclass(frozen=True, slots=True)
class Usual:
    """How long runs took. ``number``: how many were measured."""

    number: int
    mean: float
    p50: float
    p95: float
    shortest: float
    longest: float


@dataclass(frozen=True, slots=True)
class Details:
    """What the tab shows. ``versions``: of the code that its task instances use."""

    usual: Usual | None
    versions: Sequence[int]
    conf_text: str
    conf_html: str


def details_of(head: RunHead) -> Details:
    """Return the details; two queries beside those of the head."""
    text = json.dumps(masked(head.run.conf), indent=2, ensure_ascii=False, default=str) if head.run.conf else ""
    is_coloured = bool(text) and len(text) <= MOST_COLOURED
    return Details(usual_of(head.earlier), versions_used(head.run), text, code(text, "json") if is_coloured else "")


def usual_of(runs: Sequence[DagRun]) -> Usual | None:
    """Return how long the successful ones among some runs took."""
    taken = sorted(of_successes(runs))
    if not taken:
        return None
    return Usual(len(taken), fmean(taken), quantile(taken, 0.5), quantile(taken, 0.95), taken[0], taken[-1])


def versions_used(run: DagRun) -> list[int]:
    """Return the numbers of the versions that the task instances of a run use."""
    ids: Any = run.task_instances.order_by().values_list("dag_version_id", flat=True).distinct()
    return sorted(version_numbers(ids).values())
