"""Decides which files of a bundle are candidates for parsing, by looking at names and times only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.sdk.parsing.ignore import FILE_NAME, IgnoreRules

SUFFIXES = (".py", ".zip")
SKIPPED_FOLDERS = frozenset(("__pycache__", ".git"))


class BundleUnreadableError(Exception):
    """A bundle's folder cannot be read in full, so nothing may be concluded from what is missing."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A candidate with what ``stat`` says of it."""

    path: str
    relative: str
    mtime_ns: int
    size: int
    bundle_version: str | None = None


@dataclass(slots=True)
class Scan:
    """A completed look at a bundle: files by relative path, and complaints about its ignore files."""

    files: dict[str, FoundFile] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)


def scan(root: Path, syntax: str = "glob", version: str | None = None) -> Scan:
    """Return all candidates below a folder; ``version`` is that of the bundle there.

    Raises ``BundleUnreadableError`` when the folder or one below it is missing, unreadable or (the root) empty: an unmounted
    disk looks like that.
    """
    result = Scan()
    try:
        if not os.listdir(root):
            raise BundleUnreadableError(f"{root} is empty")
        for entry in _walk(str(root), IgnoreRules(syntax), result, set()):
            status = entry.stat()
            relative = os.path.relpath(entry.path, root)
            result.files[relative] = FoundFile(entry.path, relative, status.st_mtime_ns, status.st_size, version)
    except OSError as error:
        raise BundleUnreadableError(f"{error.filename or root}: {error.strerror or error}") from error
    return result


def _walk(folder: str, rules: IgnoreRules, result: Scan, seen: set[str]) -> Iterator[os.DirEntry[str]]:
    """Yield candidates; links to folders are followed, each real folder once."""
    real = os.path.realpath(folder)
    if real in seen:
        return
    seen.add(real)
    entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    rules = _with_ignore_file(folder, entries, rules, result)
    for entry in entries:
        try:
            is_folder = entry.is_dir()
            if rules.ignores(entry.path, is_folder):
                continue
            if is_folder:
                if entry.name not in SKIPPED_FOLDERS:
                    yield from _walk(entry.path, rules, result, seen)
            elif entry.name.endswith(SUFFIXES) and entry.is_file():
                yield entry
        except FileNotFoundError:
            continue  # deleted between the listing and the look: the next scan says so


def _with_ignore_file(folder: str, entries: list[os.DirEntry[str]], rules: IgnoreRules, result: Scan) -> IgnoreRules:
    if all(entry.name != FILE_NAME for entry in entries):
        return rules
    text = Path(folder, FILE_NAME).read_text(encoding="utf-8", errors="replace")
    inner = rules.inside(folder, text)
    result.complaints.extend(inner.errors[len(rules.errors) :])
    return inner
