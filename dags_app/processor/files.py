"""Decides which files have changed since they were last parsed, and remembers it beside the database."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from dags_app.models import Bundle, ParsedFile, ParseImportError
from dags_app.processor.scan import FoundFile
from orchestrator.config import conf
from orchestrator.version import VERSION

RUNTIME = "<runtime>"
"""Key in ``ParsedFile.modules`` for what is not a file but changes results too: our version and Python's."""

OUTSIDE = "<outside>"
"""Key in ``ParsedFile.modules`` of a file that reads what nobody watches: it is parsed again at an interval."""

NO_FILES = (RUNTIME, OUTSIDE)

Stat = tuple[int, int]


_plugins = {"fingerprint": ""}


def plugins_seen(fingerprint: str) -> None:
    """Note which plugins and cluster policies there are: each file is parsed again when they change."""
    _plugins["fingerprint"] = fingerprint


def runtime_fingerprint() -> str:
    """Return the text that differs after an upgrade of the platform or of Python, and after a change of plugins."""
    base = f"{VERSION} python {sys.version_info.major}.{sys.version_info.minor}"
    return f"{base} plugins {_plugins['fingerprint']}" if _plugins["fingerprint"] else base


@dataclass(slots=True)
class KnownFile:
    """What is remembered of one file: the facts of its last parse, and the times of the files it depends on."""

    relative: str
    content_hash: str = ""
    stat: Stat = (0, 0)
    modules: dict[str, str] = field(default_factory=dict)
    module_stats: dict[str, Stat] = field(default_factory=dict)
    dag_ids: list[str] = field(default_factory=list)
    missing_since: datetime | None = None
    retry_at: datetime | None = None
    seconds: float = 0.0
    has_error: bool = False

    def is_due(self, now: datetime) -> bool:
        """Tell whether a file is parsed again without a change: it has an import error, or reads what lies elsewhere."""
        return self.retry_at is not None and self.retry_at <= now

    def needs_parsing(self, found: FoundFile, root: Path) -> bool:
        """Tell whether the content of the file, or of one it depends on, is new; times alone do not count."""
        if self.modules.get(RUNTIME) != runtime_fingerprint():
            return True
        stat = (found.mtime_ns, found.size)
        if stat != self.stat:
            if content_hash(found.path) != self.content_hash:
                return True
            self.stat = stat
        return any(self._module_changed(root, name) for name in self.modules if name not in NO_FILES)

    def _module_changed(self, root: Path, name: str) -> bool:
        path = os.path.join(root, name)
        stat = _stat(path)
        if stat == self.module_stats.get(name):
            return False
        if content_hash(path) != self.modules[name]:
            return True
        self.module_stats[name] = stat
        return False


class KnownFiles:
    """All remembered files of one bundle, by relative path."""

    def __init__(self, bundle: Bundle) -> None:
        broken = set(ParseImportError.objects.filter(bundle=bundle).values_list("filename", flat=True))
        rows = ParsedFile.objects.filter(bundle=bundle)
        self.by_path = {row.relative_fileloc: _known(row, row.relative_fileloc in broken) for row in rows}

    def get(self, relative: str) -> KnownFile | None:
        """Return a file, or None if it was never parsed."""
        return self.by_path.get(relative)

    def remember(self, row: ParsedFile, *, has_error: bool) -> None:
        """Take over what was just stored."""
        known = _known(row, has_error)
        old = self.by_path.get(known.relative)
        if old is not None:
            known.module_stats = {
                name: stat for name, stat in old.module_stats.items() if old.modules.get(name) == known.modules.get(name)
            }
        self.by_path[known.relative] = known

    def forget(self, relative: str) -> None:
        """Drop a file that is gone for good."""
        self.by_path.pop(relative, None)

    def absent(self, present: Iterable[str]) -> list[KnownFile]:
        """Return the remembered files that a scan did not find."""
        here = set(present)
        return [known for relative, known in self.by_path.items() if relative not in here]


def content_hash(path: str) -> str:
    """Return the SHA-256 of a file's bytes, or empty where it cannot be read."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return ""


def _stat(path: str) -> Stat:
    try:
        status = os.stat(path)
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def _known(row: ParsedFile, has_error: bool) -> KnownFile:
    return KnownFile(
        relative=row.relative_fileloc,
        content_hash=row.content_hash,
        stat=(row.mtime_ns, row.size),
        modules=dict(row.modules),
        dag_ids=list(row.dag_ids),
        missing_since=row.missing_since,
        retry_at=_retry_at(row) if has_error or OUTSIDE in row.modules else None,
        has_error=has_error,
        seconds=row.last_duration_seconds or 0.0,
    )


def _retry_at(row: ParsedFile) -> datetime | None:
    """A file that is slow to fail is tried less often: at most a tenth of the time goes into it."""
    if row.last_parsed_at is None:
        return None
    seconds = max(conf.get("dag_processor", "min_file_process_interval"), 10 * (row.last_duration_seconds or 0.0))
    return row.last_parsed_at + timedelta(seconds=seconds)
