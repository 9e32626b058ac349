"""Decides when two serialized DAGs are the same, differ in structure, or differ in attributes only."""

from __future__ import annotations

import hashlib
import json
from typing import Any

Json = Any

# What people read, and what moves at each parse in files that use the current time: no new version for these.
DAG_ATTRIBUTES = frozenset(
    (
        "access_control",
        "dag_display_name",
        "description",
        "disable_bundle_versioning",
        "doc_md",
        "end_date",
        "fileloc",
        "is_paused_upon_creation",
        "owner_links",
        "owners",
        "relative_fileloc",
        "schema",
        "start_date",
        "tags",
        "timetable_description",
        "timetable_summary",
    )
)
TASK_ATTRIBUTES = frozenset(
    (
        "doc",
        "doc_json",
        "doc_md",
        "doc_rst",
        "doc_yaml",
        "email",
        "email_on_failure",
        "email_on_retry",
        "end_date",
        "owner",
        "start_date",
        "task_display_name",
        "ui_color",
        "ui_fgcolor",
    )
)
GROUP_ATTRIBUTES = frozenset(("display_name", "doc_md", "tooltip", "ui_color", "ui_fgcolor"))


def canonical_text(document: Json) -> str:
    """Return the one text of a document: keys sorted, no spaces, plain ASCII."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def document_hashes(document: dict[str, Json]) -> tuple[str, str]:
    """Return the hash of the structure (tasks, links, schedule, limits) and that of everything else."""
    structure: dict[str, Json] = {}
    attributes: dict[str, Json] = {}
    for name, value in document.items():
        (attributes if name in DAG_ATTRIBUTES else structure)[name] = value
    for name, names in (("tasks", TASK_ATTRIBUTES), ("task_groups", GROUP_ATTRIBUTES)):
        items = structure.pop(name, [])
        structure[name] = [{key: value for key, value in item.items() if key not in names} for item in items]
        attributes[name] = [{key: value for key, value in item.items() if key in names} for item in items]
    return _hash(structure), _hash(attributes)


def first_difference(old: Json, new: Json, path: str = "") -> str | None:
    """Return the path of the first field that differs, such as ``tasks[0].retries``; None where nothing does."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            inner = f"{path}.{key}" if path else key
            if key not in old or key not in new:
                return inner
            if (found := first_difference(old[key], new[key], inner)) is not None:
                return found
        return None
    if isinstance(old, list) and isinstance(new, list):
        for index, (left, right) in enumerate(zip(old, new, strict=False)):
            if (found := first_difference(left, right, f"{path}[{index}]")) is not None:
                return found
        return None if len(old) == len(new) else f"{path}[{min(len(old), len(new))}]"
    return None if old == new and type(old) is type(new) else path


def _hash(value: Json) -> str:
    return hashlib.sha256(canonical_text(value).encode()).hexdigest()
