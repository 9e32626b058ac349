"""Decides how pages show why something waits: the sentence, and links to the pages of what stands in the way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from django.urls import NoReverseMatch, reverse

from orchestrator.kernel.clock import utcnow
from runs.explain.answer import Blocker, Explanation
from runs.explain.reasons import Reason
from runs.models import DagRun

# Kinds whose page is a list; of the others the path in the REST API names the page.
_LISTS = {"pool": "pool_list", "process": "job_list", "import_error": "import_errors"}
_PROGRESS = frozenset({Reason.TASKS_RUNNING, Reason.RUNNING, Reason.ABOUT_TO_START, Reason.ABOUT_TO_END, Reason.ABOUT_TO_DECIDE})


@dataclass(frozen=True, slots=True)
class ShownBlocker:
    """What stands in the way, with the address of its page; empty where it has none."""

    name: str
    state: str | None
    url: str


@dataclass(frozen=True, slots=True)
class ShownReason:
    """Why something waits. ``is_progress``: it goes on, and nobody has to do anything."""

    reason: Reason
    sentence: str
    blockers: Sequence[ShownBlocker]
    since: datetime | None
    eta: datetime | None
    is_progress: bool


def shown_reasons(found: Iterable[Explanation], run: DagRun | None = None) -> list[ShownReason]:
    """Return explanations as pages show them; those of a run do not name it again."""
    return [_shown(item, run) for item in found]


def _shown(item: Explanation, run: DagRun | None) -> ShownReason:
    blockers = [_blocker(blocker, run) for blocker in item.blockers if run is None or blocker.id != run.run_id]
    eta = item.eta if item.eta and item.eta > utcnow() else None
    sentence = item.sentence
    if run is not None:
        sentence = sentence.replace(f"Run {run.run_id} ", "The run ").replace(f"run {run.run_id} ", "the run ")
    return ShownReason(item.reason, sentence, blockers, item.since, eta, item.reason in _PROGRESS)


def _blocker(blocker: Blocker, run: DagRun | None) -> ShownBlocker:
    name = blocker.name
    if run is not None and blocker.kind == "task_instance" and name.endswith(f" {run.run_id}"):
        name = name.removeprefix(f"{run.dag_id}.").removesuffix(f" {run.run_id}")
    return ShownBlocker(name, blocker.state, page_of(blocker))


def page_of(blocker: Blocker) -> str:
    """Return the address of the page of a blocker, empty where there is none."""
    if blocker.kind in _LISTS:
        return _route(_LISTS[blocker.kind])
    parts = [unquote(part) for part in (blocker.link or "").split("/")[3:]]
    match parts:
        case ["dags", dag_id]:
            return _route("dag_detail", dag_id)
        case ["dags", dag_id, "dagRuns", run_id, *rest]:
            return _of_run(dag_id, run_id, rest)
        case ["backfills", backfill_id]:
            return _route("backfill_detail", int(backfill_id))
        case ["assets", asset_id]:
            return _route("asset_detail", int(asset_id))
    return ""


def _of_run(dag_id: str, run_id: str, rest: Sequence[str]) -> str:
    match rest:
        case ["taskInstances", task_id, index, "hitlDetails"]:
            place = (dag_id, run_id, task_id) if int(index) < 0 else (dag_id, run_id, task_id, int(index))
            return _route("ti_required_actions", *place)
        case ["taskInstances", task_id, index]:
            return _of_instance(dag_id, run_id, task_id, int(index))
        case ["taskInstances", task_id]:
            return _of_instance(dag_id, run_id, task_id, -1)
    return _route("run_detail", dag_id, run_id)


def _of_instance(dag_id: str, run_id: str, task_id: str, map_index: int) -> str:
    if map_index >= 0:
        return _route("mapped_log_detail", dag_id, run_id, task_id, map_index)
    return _route("log_detail", dag_id, run_id, task_id)


def _route(name: str, *args: Any) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
