"""Decides with which kind of field a form asks for a param, as its JSON schema says; pure, no database."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from typing import Any

from runs.pages.form_times import field_text
from runs.param_check import takes_nothing

MULTILINE = "multiline"
# Kinds whose field holds JSON.
AS_JSON = frozenset({"object", "json", "any"})
_LINES = ("string", "integer", "number")


@dataclass(frozen=True, slots=True)
class ParamField:
    """A field of the form; ``text``, ``ticked`` and ``values`` are what it holds, by its kind."""

    name: str
    kind: str
    schema: Mapping[str, Any]
    title: str
    section: str = ""
    description: str = ""
    description_md: str = ""
    text: str = ""
    ticked: bool = False
    values: frozenset[str] = frozenset()
    options: Sequence[tuple[str, str]] = ()
    is_nullable: bool = False
    is_required: bool = False
    problem: str = ""

    @property
    def key(self) -> str:
        """The name of the field in the form; no other field of the form begins so."""
        return f"param.{self.name}"

    @property
    def lacks_choice(self) -> bool:
        """True where the present value is none of those that may be chosen."""
        return self.text not in {value for value, _ in self.options}

    @property
    def rows(self) -> int:
        """How many lines of its text are shown at least."""
        return max(3, min(12, self.text.count("\n") + 1))

    @property
    def step(self) -> str:
        """By which steps a number goes."""
        return str(self.schema.get("multipleOf", 1 if self.kind == "integer" else "any"))


@dataclass(frozen=True, slots=True)
class Section:
    """Fields under one heading."""

    title: str
    fields: list[ParamField] = field(default_factory=list)


def fields_of(
    params: Mapping[str, Any], conf: Mapping[str, Any], problems: Mapping[str, str], raw: Mapping[str, str] | None = None
) -> list[ParamField]:
    """Return the fields of the params with the values of a configuration, else their defaults.

    ``raw``: what was written into fields and could not be read; it stays there.
    """
    found = [_field(name, param, conf.get(name, param.get("value")), problems.get(name, "")) for name, param in params.items()]
    return [replace(item, text=raw[item.name]) if raw and item.name in raw else item for item in found]


def sections_of(fields: Sequence[ParamField]) -> list[Section]:
    """Return what is shown, section by section in the order in which they are first named; constants are not shown."""
    found: dict[str, Section] = {}
    for item in fields:
        if item.kind != "constant":
            found.setdefault(item.section, Section(item.section)).fields.append(item)
    return list(found.values())


def kind_of(schema: Mapping[str, Any], default: Any) -> str:
    """Return the kind of field for a schema; without a type the default says it."""
    if "const" in schema:
        return "constant"
    if "enum" in schema:
        return "choice"
    types = types_of(schema)
    if not types:
        types = _types_like(default)
    if len(types) != 1:
        return "number" if set(types) == {"integer", "number"} else "any"
    return _of_type(types[0], schema, default)


def types_of(schema: Mapping[str, Any]) -> list[str]:
    """Return the types that a schema names, without null."""
    named = schema.get("type", [])
    return [kind for kind in ([named] if isinstance(named, str) else named) if kind != "null"]


def _of_type(kind: str, schema: Mapping[str, Any], default: Any) -> str:
    if kind == "string":
        return _of_string(schema)
    if kind == "array":
        if schema.get("examples"):
            return "several"
        return "lines" if _is_lines(schema, default) else "json"
    return kind if kind in ("boolean", "integer", "number", "object") else "any"


def _of_string(schema: Mapping[str, Any]) -> str:
    form = schema.get("format")
    if form in ("date", "date-time", "time", MULTILINE):
        return str(form)
    return "proposals" if schema.get("examples") else "string"


def _is_lines(schema: Mapping[str, Any], default: Any) -> bool:
    items = schema.get("items")
    if isinstance(items, Mapping) and items.get("type") is not None:
        return items["type"] in _LINES
    return not isinstance(default, list) or all(isinstance(item, str) and "\n" not in item for item in default)


def _types_like(default: Any) -> list[str]:
    kinds: tuple[tuple[Any, str], ...] = (
        *((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string")),
        *((list, "array"), (dict, "object")),
    )
    return [next((word for kind, word in kinds if isinstance(default, kind)), "any")]


def _field(name: str, param: Mapping[str, Any], value: Any, problem: str) -> ParamField:
    schema = param.get("schema") or {}
    kind = kind_of(schema, param.get("value"))
    nullable = takes_nothing(schema) and (kind != "boolean" or "type" in schema)
    if kind in ("date", "date-time", "time") and _as_text(kind, value) is None:
        kind = "string"  # what is there now is no such time: a field for times would lose it
    return ParamField(
        name=name,
        kind=kind,
        schema=schema,
        title=str(schema.get("title") or name),
        section=str(schema.get("section") or ""),
        description=str(schema.get("description") or param.get("description") or ""),
        description_md=str(schema.get("description_md") or ""),
        text=_as_text(kind, value) or "",
        ticked=value is True,
        values=frozenset(_json(item) for item in value) if kind == "several" and isinstance(value, list) else frozenset(),
        options=_options(kind, schema, value),
        is_nullable=nullable,
        is_required=not nullable and kind not in ("boolean", "several"),
        problem=problem,
    )


def _as_text(kind: str, value: Any) -> str | None:
    """Return a value as the field writes it; None for a time that cannot be read."""
    if kind in ("choice", "boolean"):
        return "" if value is None and kind == "boolean" else _json(value)
    if value is None:
        return ""
    if kind == "date-time":
        return _local(value)
    if kind in ("date", "time"):
        return _plain_time(kind, value)
    if kind == "lines" and isinstance(value, list):
        return "\n".join(str(item) for item in value)
    if kind in AS_JSON or not isinstance(value, str):
        return json.dumps(value, indent=2, ensure_ascii=False)
    return value


def _local(value: Any) -> str | None:
    try:
        given = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return field_text(given) if given.tzinfo else given.strftime("%Y-%m-%dT%H:%M:%S")


def _plain_time(kind: str, value: Any) -> str | None:
    try:
        if kind == "date":
            return datetime.strptime(str(value), "%Y-%m-%d").date().isoformat()
        given = time.fromisoformat(str(value))
    except ValueError:
        return None
    return None if given.tzinfo else given.isoformat()


def _options(kind: str, schema: Mapping[str, Any], value: Any) -> list[tuple[str, str]]:
    """Return (value as JSON, label); what the run of a form had and the schema no longer offers stays on offer."""
    if kind == "choice":
        offered = list(schema["enum"])
    elif kind in ("several", "proposals"):
        offered = list(schema["examples"])
    else:
        return []
    if kind == "several" and isinstance(value, list):
        offered += [item for item in value if item not in offered]
    shown = schema.get("values_display") or {}
    return [(item if kind == "proposals" else _json(item), str(shown.get(str(item), _label(item)))) for item in offered]


def _label(item: Any) -> str:
    if item is None:
        return "\N{EN DASH}"
    return item if isinstance(item, str) else _json(item)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
