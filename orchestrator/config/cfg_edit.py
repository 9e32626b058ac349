"""Decides how options of an ``airflow.cfg`` that is there are renamed or taken out; every other line stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from orchestrator.config.sources import SUFFIXES
from orchestrator.config.unknown import Finding

_HEAD = re.compile(r"^\[(?P<section>[^\]]+)\]")
_ENTRY = re.compile(r"^(?P<key>[^\s#;=:\[][^=:]*?)\s*[=:]")

Name = tuple[str, str]


class Change(NamedTuple):
    """An option that gets another name, or goes where ``new`` is None."""

    old: Name
    new: Name | None

    def __str__(self) -> str:
        old = f"[{self.old[0]}] {self.old[1]}"
        return f"{old} -> [{self.new[0]}] {self.new[1]}" if self.new else f"{old} has no effect and goes"


def changes_of(findings: Iterable[Finding], *, idle: bool) -> list[Change]:
    """Return what is to be changed in the file: older names, and with ``idle`` also names that have no effect."""
    changes = []
    for finding in findings:
        if not finding.is_in_file:
            continue
        if finding.new is not None:
            suffix = next((suffix for suffix in SUFFIXES if finding.key.endswith(suffix)), "")
            changes.append(Change((finding.section, finding.key), (finding.new.section, finding.new.key + suffix)))
        elif finding.is_idle and idle:
            changes.append(Change((finding.section, finding.key), None))
    return changes


def changed(text: str, changes: Iterable[Change]) -> str:
    """Return the file after the changes. The comment right above an option goes with it; a new name that is set already wins."""
    for change in changes:
        lines = text.splitlines()
        taken = _take(lines, change.old)
        if change.new is not None and taken and not _is_set(lines, change.new):
            entry = next(number for number, line in enumerate(taken) if _ENTRY.match(line))
            taken[entry] = re.sub(r"^[^=:]*?(?=\s*[=:])", change.new[1], taken[entry], count=1)
            _put(lines, change.new[0], taken)
        text = "\n".join(lines) + "\n"
    return text


def _take(lines: list[str], name: Name) -> list[str]:
    """Take an option out of ``lines``; returns its lines, those of the last place where it stands twice."""
    taken: list[str] = []
    while (place := next(_places(lines, name), None)) is not None:
        first, last = place, place + 1
        while first and lines[first - 1].startswith(("#", ";")):
            first -= 1
        while last < len(lines) and lines[last][:1] in (" ", "\t") and lines[last].strip():
            last += 1
        taken = lines[first:last]
        del lines[first:last]
        if first and first < len(lines) and not lines[first - 1].strip() and not lines[first].strip():
            del lines[first]
    return taken


def _places(lines: list[str], name: Name) -> Iterator[int]:
    section = ""
    for number, line in enumerate(lines):
        if head := _HEAD.match(line):
            section = head["section"]
        elif section == name[0] and (entry := _ENTRY.match(line)) and entry["key"].lower() == name[1]:
            yield number


def _is_set(lines: list[str], name: Name) -> bool:
    return next(_places(lines, name), None) is not None


def _put(lines: list[str], section: str, taken: list[str]) -> None:
    for number, line in enumerate(lines):
        if (head := _HEAD.match(line)) and head["section"] == section:
            lines[number + 1 : number + 1] = [*taken, ""]
            return
    lines += ["", f"[{section}]", *taken]
