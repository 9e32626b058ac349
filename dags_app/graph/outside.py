"""Decides how the things outside of a DAG are named in graphs: assets, aliases, references, and links between DAGs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from orchestrator.sdk.serialization.spec import DagSpec, Json

TRIGGER, SENSOR = "trigger", "sensor"
ASSET, ALIAS, NAME_REFERENCE, URI_REFERENCE = "asset", "asset-alias", "asset-name-ref", "asset-uri-ref"


class Link(NamedTuple):
    """A task of one DAG that triggers another DAG, or a sensor of one DAG that waits for another (the source)."""

    kind: str
    source: str
    target: str
    task_id: str
    label: str

    @property
    def node_id(self) -> str:
        """Return the id of its node in graphs."""
        return f"{self.kind}:{self.source}:{self.target}:{self.task_id}"


class Place(NamedTuple):
    """An asset as graphs name it; ``key`` is the id of an asset, else a name or URI."""

    kind: str
    key: str
    label: str

    @property
    def node_id(self) -> str:
        """Return the id of its node in graphs; as a part of a schedule it goes by ``key``."""
        return f"{self.kind}:{self.key}"


Lookup = Callable[[dict[str, Json]], Place]
"""Finds the place of a leaf of a condition: ``{"type": "asset" | "asset_alias" | "asset_ref", ...}``."""


def links_of(dag: DagSpec) -> list[Link]:
    """Return the links to other DAGs that the tasks of a DAG make, without those to a DAG that only a run can name."""
    found = [
        Link(item["dependency_type"], item["source"], item["target"], item["dependency_id"], item["label"])
        for item in dag.dependencies
        if item["dependency_type"] in (TRIGGER, SENSOR)
    ]
    return [link for link in found if "{{" not in link.source + link.target]


def reference(name: str, uri: str) -> Place:
    """Return the place of a reference to an asset that nobody defines."""
    return Place(NAME_REFERENCE, name, name) if name else Place(URI_REFERENCE, uri, uri)


def alias(name: str) -> Place:
    """Return the place of an alias."""
    return Place(ALIAS, name, name)


def lookup(assets: Iterable[tuple[int, str, str]]) -> Lookup:
    """Return a lookup among assets, each with id, name and URI; an asset that is not among them goes by its name."""
    by_key, by_name, by_uri = dict[tuple[str, str], Place](), dict[str, Place](), dict[str, Place]()
    for pk, name, uri in assets:
        by_key[name, uri] = place = Place(ASSET, str(pk), name)
        by_name.setdefault(name, place)
        by_uri.setdefault(uri, place)

    def find(leaf: dict[str, Json]) -> Place:
        name, uri = str(leaf.get("name") or ""), str(leaf.get("uri") or "")
        if leaf.get("type") == "asset_alias":
            return alias(name)
        if leaf.get("type") == "asset_ref":
            return by_name.get(name) or by_uri.get(uri) or reference(name, uri)
        return by_key.get((name, uri)) or Place(ASSET, name, name)

    return find
