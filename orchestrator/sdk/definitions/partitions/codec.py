"""Decides how mappers, windows and wait policies are written as JSON and read back, those of plugins by their import path."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from orchestrator.sdk.definitions.registered import path_of, plugin_name

if TYPE_CHECKING:
    from orchestrator.sdk.definitions.partitions.facts import Facts

Json = Any

_REGISTERED: dict[str, type[Facts]] = {}


def register_partition_class(kind: type[Facts]) -> None:
    """Make a mapper or a window of a plugin known under its import path. Raises ``TypeError`` for another class."""
    from orchestrator.sdk.definitions.partition_mappers import PartitionMapper, Window

    if not isinstance(kind, type) or not issubclass(kind, PartitionMapper | Window):
        raise TypeError(f"a plugin's `partition_mappers` and `windows` are classes of mappers and windows, not {kind!r:.100}")
    _REGISTERED[path_of(kind)] = kind


def encode(item: Facts) -> Json:
    """Return the JSON form: ``type`` and facts; for a plugin's class its import path and what its ``serialize`` gives.

    Raises ``ValueError`` for a class that no plugin has registered, and for facts that cannot be stored or read back.
    """
    kind = type(item)
    if _own().get(kind.__name__) is kind:
        return {"type": kind.__name__, **item.serialize()}
    name = plugin_name(kind, _REGISTERED)
    if not name:
        raise ValueError(_unknown(kind))
    document = {"type": name, "max_downstream_keys": getattr(item, "max_downstream_keys", None), "facts": item.serialize()}
    try:
        decode(json.loads(json.dumps(document)))
    except Exception as error:
        raise ValueError(f"{name} cannot be stored and read back by its serialize and deserialize: {error!r}") from error
    return document


def _unknown(kind: type) -> str:
    from orchestrator.sdk.definitions.partition_mappers import WaitPolicy, Window

    if issubclass(kind, WaitPolicy):
        return f"wait policy {path_of(kind)} is none of WaitForAll and MinimumCount; own ones are not taken"
    what, where = ("window", "windows") if issubclass(kind, Window) else ("partition mapper", "partition_mappers")
    return f"{what} {path_of(kind)} is not registered; make it known through a plugin's `{where}`"


def decode(document: Json) -> Any:
    """Read what ``encode`` wrote. Raises ``ValueError`` for a class that nobody knows, and what its constructor raises."""
    name = str(document["type"])
    if is_of_plugin(document):
        if name not in _REGISTERED:
            raise ValueError(f"{name} is not registered; make it known through a plugin's `partition_mappers` or `windows`")
        return _REGISTERED[name].deserialize(document.get("facts") or {})
    if name not in _own():
        raise ValueError(f"{name} is no partition mapper, window or wait policy that this platform knows")
    return _own()[name].deserialize({key: value for key, value in document.items() if key != "type"})


def is_of_plugin(document: Json) -> bool:
    """Return whether a stored mapper or window is of a plugin's class: those have an import path."""
    return "." in str(document["type"])


def needs_plugin(document: Json) -> bool:
    """Return whether a stored mapper is of a plugin's class, or has one in it."""
    if isinstance(document, list):
        return any(needs_plugin(item) for item in document)
    if not isinstance(document, dict) or "type" not in document:
        return False
    return is_of_plugin(document) or any(needs_plugin(value) for value in document.values())


@cache
def _own() -> dict[str, type[Facts]]:
    from orchestrator.sdk.definitions import partition_mappers
    from orchestrator.sdk.definitions.partitions.facts import Facts

    return {name: kind for name, kind in vars(partition_mappers).items() if isinstance(kind, type) and issubclass(kind, Facts)}
