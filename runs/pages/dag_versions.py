"""Decides what is told of the versions of a DAG: their code, and what differs between two of them in code and in structure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from difflib import SequenceMatcher
from typing import Any

from dags_app.models import DagVersion
from dags_app.selectors import SpecUnreadableError, spec_of
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from orchestrator.templatetags.shown import NOTHING
from orchestrator.ui.texts import code

MOST_VERSIONS = 200
# Above this a file is shown without colours, and two are not compared.
MOST_COLOURED = 200_000
MOST_COMPARED = 400_000
AROUND = 3
LONGEST_VALUE = 200
# What follows from other fields, or is compared by itself.
_LEFT_OUT = frozenset(
    {"tasks", "task_groups", "schema", "downstream_task_ids", "priority_weight_total", "ui_color", "ui_fgcolor"}
)


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a comparison. ``kind``: same, ins, del, or gap where lines are left out; numbers as in the files."""

    kind: str
    before: int | None
    after: int | None
    text: str

    @property
    def sign(self) -> str:
        """What stands before the line, so that its colour says nothing alone."""
        return {"ins": "+", "del": "\N{MINUS SIGN}", "gap": "⋯"}.get(self.kind, " ")


@dataclass(frozen=True, slots=True)
class Change:
    """An attribute that differs."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Structure:
    """What differs between two versions beside the text of the file; ``error`` where one of them cannot be read."""

    added: list[str]
    removed: list[str]
    changed: list[tuple[str, list[Change]]]
    dag: list[Change]
    error: str = ""

    @property
    def is_same(self) -> bool:
        """True where nothing differs."""
        return not (self.added or self.removed or self.changed or self.dag or self.error)


def versions_of(dag_id: str) -> list[DagVersion]:
    """Return the versions of a DAG, the newest first, without documents and texts."""
    return list(DagVersion.objects.filter(dag_id=dag_id).defer("document").order_by("-version_number")[:MOST_VERSIONS])


def version_with_code(dag_id: str, number: int | None) -> DagVersion | None:
    """Return a version with the text of its file, the newest where no number is given; None where there is none."""
    rows = DagVersion.objects.filter(dag_id=dag_id).defer("document").select_related("code").order_by("-version_number")
    return (rows if number is None else rows.filter(version_number=number)).first()


def text_of(version: DagVersion | None) -> str:
    """Return the text of the file that a version comes from; empty where it was not kept."""
    return version.code.source_code if version is not None and version.code is not None else ""


def coloured(text: str) -> str:
    """Return the text as HTML with numbered lines; empty where it is too long for that."""
    return code(text, "python", line_names="L") if text and len(text) <= MOST_COLOURED else ""


def code_diff(before: str, after: str) -> list[DiffLine]:
    """Return the lines that differ with some around them; nothing where they are the same or too long."""
    if before == after or len(before) + len(after) > MOST_COMPARED:
        return []
    old, new = before.splitlines(), after.splitlines()
    return list(_lines(old, new))


def _lines(old: Sequence[str], new: Sequence[str]) -> Iterator[DiffLine]:
    for number, group in enumerate(SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(AROUND)):
        if number:
            yield DiffLine("gap", None, None, "")
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                yield from (DiffLine("same", i1 + n + 1, j1 + n + 1, old[i1 + n]) for n in range(i2 - i1))
                continue
            yield from (DiffLine("del", at + 1, None, old[at]) for at in range(i1, i2))
            yield from (DiffLine("ins", None, at + 1, new[at]) for at in range(j1, j2))


def structure_diff(before: DagVersion, after: DagVersion) -> Structure:
    """Return what differs between the documents of two versions."""
    try:
        old, new = spec_of(before.pk), spec_of(after.pk)
    except SpecUnreadableError as error:
        return Structure([], [], [], [], str(error))
    return spec_diff(old, new)


def spec_diff(old: DagSpec, new: DagSpec) -> Structure:
    """Return what differs between two documents."""
    was, now = old.task_by_id(), new.task_by_id()
    both = [task_id for task_id in now if task_id in was]
    changed = [(task_id, found) for task_id in both if (found := _changes(TaskSpec, was[task_id], now[task_id]))]
    return Structure(
        added=[task_id for task_id in now if task_id not in was],
        removed=[task_id for task_id in was if task_id not in now],
        changed=changed,
        dag=_changes(DagSpec, old, new),
    )


def _changes(kind: type, old: Any, new: Any) -> list[Change]:
    values = [
        (item.name, getattr(old, item.name), getattr(new, item.name)) for item in fields(kind) if item.name not in _LEFT_OUT
    ]
    differ = [pair for name, was, now in values if was != now for pair in _parts(name, was, now)]
    return [Change(name.replace("_", " "), _shown(was), _shown(now)) for name, was, now in differ]


def _parts(name: str, was: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    """Return an attribute, or what differs inside one that is an object; code that differs is seen in the file."""
    if not isinstance(was, dict) or not isinstance(now, dict):
        yield name, was, now
        return
    for key in {**was, **now}:
        if was.get(key) != now.get(key) and key != "python_callable":
            yield (str(key) if name == "attributes" else f"{name}: {key}"), was.get(key), now.get(key)


def _shown(value: Any) -> str:
    if value in (None, "", [], {}):
        return NOTHING
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
