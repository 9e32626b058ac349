"""Decides what the form of connections is told about their types; path and shape are those of Airflow's own pages."""

from typing import Any

from accounts.roles import Role
from orchestrator.rest.operations import Call, Operations
from orchestrator.sdk.execution.masking import is_sensitive_name
from vault.connection_types import STANDARD, ConnectionType, known_types

operations = Operations("Connection")

_NAMES = {"schema": "url_schema"}


@operations.add("GET", "/connections/hook_meta", "hook_meta_data", role=Role.OP)
def hook_meta_data(call: Call) -> list[dict[str, Any]]:
    """Return every known type of connection with its fields."""
    return [
        {
            "connection_type": kind.conn_type,
            "hook_class_name": kind.hook_class,
            "default_conn_name": None,
            "hook_name": kind.title,
            "standard_fields": _standard(kind),
            "extra_fields": {name: _extra(kind, name) for name in kind.fields} or None,
        }
        for kind in known_types().values()
    ]


def _standard(kind: ConnectionType) -> dict[str, Any] | None:
    return {_NAMES.get(name, name): _look(kind, name) for name in STANDARD} if kind.is_customized else None


def _look(kind: ConnectionType, name: str) -> dict[str, Any] | None:
    hidden, title, placeholder = name in kind.hidden, kind.titles.get(name), kind.placeholders.get(name)
    if not (hidden or title or placeholder):
        return None
    return {"hidden": hidden, "title": title, "placeholder": placeholder}


def _extra(kind: ConnectionType, name: str) -> dict[str, Any]:
    facts = kind.fields[name]
    schema = dict(facts.get("schema") or {})
    if "label" in facts:
        schema["title"] = facts["label"]
    default = kind.default(name)
    value = "***" if default is not None and is_sensitive_name(name) else default
    return {"value": value, "schema": schema, "description": facts.get("description"), "source": None}
