"""Decides how the answer to "why does it not run?" looks on a page: one sentence, with links to what stands in the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from django.urls import NoReverseMatch, reverse

from runs.explain.answer import Blocker
from runs.explain.instance import explain_instance

# kind of a blocker → the page of it, by the parts of its path in the REST API
_PAGES = {
    ("dags",): "dag_detail",
    ("dags", "dagRuns"): "run_detail",
    ("dags", "dagRuns", "taskInstances"): "log_detail",
    ("assets",): "asset_detail",
    ("backfills",): "backfill_detail",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands in the way, with its page; no page where there is none of it."""

    name: str
    state: str | None
    kind: str
    url: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """One reason."""

    reason: str
    sentence: str
    blockers: list[Shown]
    since: datetime | None
    eta: datetime | None


def waiting_of(ti: Any) -> list[Waiting]:
    """Return the reasons for which a task instance waits; the first is the answer."""
    return [
        Waiting(str(item.reason), item.sentence, [shown(b) for b in item.blockers], item.since, item.eta)
        for item in explain_instance(ti)
    ]


def shown(blocker: Blocker) -> Shown:
    """Return a blocker with the address of its page."""
    return Shown(blocker.name, blocker.state, blocker.kind, page_of(blocker.link))


def page_of(link: str | None) -> str:
    """Return the page of what a path of the REST API names, empty where it has none."""
    parts = [unquote(part) for part in (link or "").split("/")[3:]]
    if parts[:1] == ["pools"]:
        return _reversed("pool_list", [])
    if parts[:1] == ["jobs"]:
        return _reversed("job_list", [])
    kinds, ids = tuple(parts[0:6:2]), parts[1:6:2]
    if kinds[-1:] == ("holds",):
        kinds = kinds[:-1]
    if len(parts) == 7 and kinds == ("dags", "dagRuns", "taskInstances"):
        return _reversed("mapped_log_detail", [*ids, parts[6]])
    return _reversed(_PAGES.get(kinds, ""), ids)


def _reversed(name: str, args: list[str]) -> str:
    try:
        return reverse(name, args=args) if name else ""
    except NoReverseMatch:
        return ""
