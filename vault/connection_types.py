"""Decides which types of connections are known, and which fields each of them has.

``connection_types.json`` holds what the provider packages of Airflow register, by package, in the form of their own metadata;
what an installed package says of itself counts more (``vault/installed_types.py``).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from vault.installed_types import installed_types

RECORDED = Path(__file__).parent / "connection_types.json"
STANDARD = ("description", "host", "schema", "login", "password", "port")


@dataclass(frozen=True, slots=True)
class ConnectionType:
    """One type: what it is called, which hook of which package serves it, and how its form differs from the plain one."""

    conn_type: str
    title: str
    hook_class: str | None
    package: str
    is_customized: bool = False
    hidden: frozenset[str] = frozenset()
    titles: Mapping[str, str] = field(default_factory=dict)
    placeholders: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def default(self, name: str) -> Any:
        """Return what an extra field holds where nobody fills it in."""
        return self.fields[name].get("schema", {}).get("default")

    def secret_fields(self) -> frozenset[str]:
        """Return the names of extra fields that are passwords."""
        return frozenset(name for name, facts in self.fields.items() if facts.get("schema", {}).get("format") == "password")


@cache
def known_types() -> Mapping[str, ConnectionType]:
    """Return the types by name, in order; read once per process, when somebody first asks."""
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    found = {kind.conn_type: kind for documents in (recorded, installed_types()) for kind in _read(documents)}
    return {name: found[name] for name in sorted(found)}


def secret_fields(conn_type: str) -> frozenset[str]:
    """Return which fields of ``extra`` are secrets by their type, whatever they are called."""
    kind = known_types().get(conn_type)
    return kind.secret_fields() if kind else frozenset()


def type_hint(conn_type: str) -> str | None:
    """Return a sentence about a type that nobody registers, None for a known one; such a connection may be kept all the same."""
    if conn_type in known_types():
        return None
    near = get_close_matches(conn_type.lower(), known_types(), n=1)
    guess = f" Did you mean {near[0]!r}?" if near else ""
    return f"No known provider package has connections of type {conn_type!r}.{guess}"


def _read(documents: Mapping[str, Any]) -> Iterator[ConnectionType]:
    """Read metadata as ``get_provider_info`` of a package gives it; what has no type is left out."""
    for package, info in documents.items():
        for item in info.get("connection-types") or ():
            if item.get("connection-type"):
                yield _type_of(package, item)


def _type_of(package: str, item: Mapping[str, Any]) -> ConnectionType:
    look = item.get("ui-field-behaviour") or {}
    return ConnectionType(
        conn_type=item["connection-type"],
        title=item.get("hook-name") or item["connection-type"],
        hook_class=item.get("hook-class-name"),
        package=package,
        is_customized="ui-field-behaviour" in item,
        hidden=frozenset(look.get("hidden-fields") or ()),
        titles=look.get("relabeling") or {},
        placeholders=look.get("placeholders") or {},
        fields=item.get("conn-fields") or {},
    )
