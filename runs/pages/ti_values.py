"""Decides how values look on the pages of a task instance: rendered fields, XComs, values that a task keeps."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, F, TextField, When
from django.db.models.functions import Substr

from orchestrator.kernel.clock import utcnow
from orchestrator.ui.texts import code
from runs.models import AttemptFields, RenderedFields, TaskState, XCom
from runs.stores import TaskScope, task_values
from runs.task_specs import tasks_of

# As long as this a value is shown at once; of a longer one the beginning.
INLINE_BYTES = 2048
# The most of one value that a page shows when it is asked for alone.
WHOLE_BYTES = 512 * 1024
MOST_VALUES = 500
LONGEST_LINE = 100
# Blanks before what lies deeper than people follow.
DEEPEST = 24
MOST_HIGHLIGHTED = 64 * 1024
_LANGUAGES = {"py": "python", "md": "markdown", "doc": "text", "doc_md": "markdown", "hql": "sql", "mysql": "sql"}
_KINDS: dict[type, str] = {str: "text", bool: "true or false", int: "number", float: "number", list: "list", dict: "mapping"}


@dataclass(frozen=True, slots=True)
class Value:
    """One value: its key, what kind it is, how it looks (safe HTML), its size, and whether there is more of it."""

    key: str
    kind: str
    html: str
    size: int
    is_cut: bool = False
    written: str = ""
    at: datetime | None = None
    until: datetime | None = None
    length: int | None = None
    is_result: bool = False
    location: str = ""


def rendered_of(ti: AttemptFields) -> list[Value] | None:
    """Return the rendered template fields of a try; None where it has none yet."""
    row = RenderedFields.objects.filter(pk=ti.pk).first()
    fields = _document(row.fields) if row else None
    if fields is None:
        return None
    spec = tasks_of([ti]).get((ti.dag_version_id, ti.task_id))  # type: ignore[list-item]
    renderers, written = (spec.template_fields_renderers, spec.attributes) if spec else ({}, {})
    return [_rendered(name, value, renderers.get(name, ""), written.get(name)) for name, value in fields.items()]


def _rendered(name: str, value: Any, renderer: str, written: Any) -> Value:
    text = value if isinstance(value, str) else pretty(value)
    language = _LANGUAGES.get(renderer, renderer) or ("text" if isinstance(value, str) else "json")
    source = "" if written is None else written if isinstance(written, str) else pretty(written)
    shown = text[:WHOLE_BYTES]
    return Value(
        name, kind_of(value), highlighted(shown, language), len(text), len(text) > len(shown), source if source != text else ""
    )


def xcoms_of(ti: AttemptFields, key: str | None = None) -> list[Value]:
    """Return the XComs of a task instance by one query, which reads only the beginning of long ones; or one whole."""
    rows = XCom.objects.filter(dag_run_id=ti.dag_run_id, task_id=ti.task_id, map_index=ti.map_index)
    most = INLINE_BYTES if key is None else WHOLE_BYTES
    if key is not None:
        rows = rows.filter(key=key)
    beginning = Case(When(size__lte=most, then=F("value")), default=Substr("value", 1, most), output_field=TextField())
    return [_xcom(row, most) for row in rows.defer("value").annotate(beginning=beginning).order_by("key")[:MOST_VALUES]]


def _xcom(row: Any, most: int) -> Value:
    is_cut = row.size > most and not row.location
    kind, html = (
        ("outside the database", highlighted(row.beginning or "", "json")) if row.location else shown_json(row.beginning, is_cut)
    )
    facts = {"length": row.mapped_length, "is_result": row.is_dag_result, "location": row.location}
    return Value(row.key, kind, html, row.size, is_cut, at=row.timestamp, **facts)


def kept_of(ti: AttemptFields) -> list[Value]:
    """Return the values that the task keeps for its next tries."""
    rows = task_values(scope_of(ti), utcnow()).order_by("key")[:MOST_VALUES]
    return [_kept(row) for row in rows]


def _kept(row: TaskState) -> Value:
    is_cut = len(row.value) > WHOLE_BYTES
    kind, html = shown_json(row.value[:WHOLE_BYTES], is_cut)
    return Value(row.key, kind, html, len(row.value), is_cut, at=row.updated_at, until=row.expires_at)


def scope_of(ti: AttemptFields) -> TaskScope:
    """Return whose values those of a task instance are."""
    return TaskScope(ti.dag_run_id, ti.task_id, ti.map_index)


def shown_json(text: str | None, is_cut: bool) -> tuple[str, str]:
    """Return the kind of a value and how it looks; what is no JSON, or only its beginning, is shown as it is."""
    if is_cut or text is None:
        return ("long" if is_cut else "nothing"), highlighted(text or "", "text")
    try:
        value = json.loads(text)
    except ValueError:
        return "text", highlighted(text, "text")
    return kind_of(value), highlighted(
        value if isinstance(value, str) else pretty(value), "text" if isinstance(value, str) else "json"
    )


def kind_of(value: Any) -> str:
    """Return what people call the type of a value; a serialized object names its class."""
    if value is None:
        return "nothing"
    if isinstance(value, dict) and isinstance(value.get("__classname__"), str):
        return str(value["__classname__"])
    return _KINDS.get(type(value), type(value).__name__)


def pretty(value: Any, indent: str = "") -> str:
    """Return a value as JSON for people: what is short stands on one line, also within something long."""
    text = json.dumps(value, ensure_ascii=False)
    if len(text) + len(indent) <= LONGEST_LINE or not isinstance(value, list | dict) or len(indent) > DEEPEST:
        return text
    inner = indent + "  "
    if isinstance(value, dict):
        parts = [f"{json.dumps(str(key), ensure_ascii=False)}: {pretty(item, inner)}" for key, item in value.items()]
        return f"{{\n{inner}" + f",\n{inner}".join(parts) + f"\n{indent}}}"
    return f"[\n{inner}" + f",\n{inner}".join(pretty(item, inner) for item in value) + f"\n{indent}]"


def highlighted(text: str, language: str) -> str:
    """Return highlighted HTML; long texts and unknown languages stay plain."""
    from pygments.util import ClassNotFound

    try:
        return code(text, language if len(text) <= MOST_HIGHLIGHTED else "text")
    except ClassNotFound:
        return code(text, "text")


def _document(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
