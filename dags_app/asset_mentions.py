"""Decides which assets, aliases and references a DAG's document mentions, and where; asks no database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from orchestrator.sdk.serialization.spec import DagSpec

Json = Any
AssetKey = tuple[str, str]

SCHEDULE, OUTLET, INLET = "schedule", "outlet", "inlet"
# The sub-classes of Asset are assets, whatever their group.
_ASSETS = frozenset({"asset"})


@dataclass(frozen=True, slots=True)
class Mention:
    """One mention: ``kind`` is ``asset``, ``alias``, ``name`` or ``uri``; ``task_id`` is empty for the schedule."""

    role: str
    task_id: str
    kind: str
    name: str = ""
    uri: str = ""


@dataclass(slots=True)
class Mentions:
    """Everything that one DAG says about assets: definitions by key, aliases with their group, and the mentions."""

    all: set[Mention] = field(default_factory=set)
    assets: dict[AssetKey, dict[str, Json]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)


def mentions_of(spec: DagSpec) -> Mentions:
    """Return what a DAG mentions in its schedule and in the inlets and outlets of its tasks."""
    found = Mentions()
    for leaf in leaves(spec.asset_condition):
        _note(found, leaf, SCHEDULE, "")
    for task in spec.tasks:
        for role, ports in ((OUTLET, task.outlets), (INLET, task.inlets)):
            for port in ports:
                for leaf in leaves(port):
                    _note(found, leaf, role, task.task_id)
    return found


def leaves(condition: Json) -> Iterator[dict[str, Json]]:
    """Return the assets, aliases and references in a condition, in order; what is none of these is left out."""
    if not isinstance(condition, dict):
        return
    if condition.get("type") in ("asset_any", "asset_all"):
        for inner in condition.get("objects") or ():
            yield from leaves(inner)
    elif condition.get("type") in ("asset", "asset_alias", "asset_ref"):
        yield condition


def _note(found: Mentions, leaf: dict[str, Json], role: str, task_id: str) -> None:
    name, uri = str(leaf.get("name") or ""), str(leaf.get("uri") or "")
    if leaf["type"] in _ASSETS:
        found.assets.setdefault((name, uri), leaf)
        if leaf.get("watchers"):  # one mention may carry the watchers while another is a plain copy
            found.assets[name, uri] = leaf
        found.all.add(Mention(role, task_id, "asset", name, uri))
    elif leaf["type"] == "asset_alias":
        found.aliases[name] = str(leaf.get("group") or "asset")
        found.all.add(Mention(role, task_id, "alias", name))
    else:
        found.all.add(Mention(role, task_id, "name" if name else "uri", name, uri))
