"""Decides how rows are kept outside of the database before retention deletes them: as JSON lines (C18-d)."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.ids import new_id
from runs.retention.archive import json_lines

if TYPE_CHECKING:
    from runs.retention.chunks import Chunk

# Expired sign-ins are of no use to anybody, and what they hold is secret.
NOT_EXPORTED = frozenset({"session"})


class ExportError(Exception):
    """Rows could not be written to ``[retention] export_path``; they stay in the database and are tried again."""


def configured_export() -> Export | None:
    """Return the export that ``[retention] export_path`` asks for, None without one."""
    place = str(conf.get("retention", "export_path") or "").removeprefix("file://").rstrip("/")
    return Export(place) if place else None


class Export:
    """Writes chunks, one at a time, in a thread of its own: a slow store holds no decision up.

    A folder gets one file per table and day, to which lines are added; a store (``s3://bucket/kept``) one object per chunk,
    since objects cannot be added to. A chunk whose rows were written and then not deleted is written again.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._writing: _Writing | None = None

    def is_written(self, chunk: Chunk) -> bool:
        """Begin to write the chunk, or return whether it is written; ask until it is.

        Raises ExportError where that failed; asking again begins again.
        """
        if chunk.table in NOT_EXPORTED:
            return True
        if self._writing is None:
            lines = "".join(json_lines(chunk.rows))
            self._writing = _Writing(self._place, chunk.table, lines.encode())
            self._writing.start()
            return False
        if self._writing.is_alive():
            return False
        over, self._writing = self._writing, None
        if over.error is not None:
            raise ExportError(
                f"{chunk.table} cannot be exported to {self._place} ({type(over.error).__name__}: {over.error}); nothing is "
                "deleted until it can. Correct [retention] export_path, or empty it to delete without an export."
            ) from over.error
        return True


class _Writing(threading.Thread):
    """One write; a daemon, so that a store that hangs does not hold up the end of the process."""

    def __init__(self, place: str, table: str, data: bytes) -> None:
        super().__init__(name="retention-export", daemon=True)
        self._place, self._table, self._data = place, table, data
        self.error: Exception | None = None

    def run(self) -> None:
        """Write; what goes wrong is told to who asks."""
        try:
            if "://" in self._place:
                self._put()
            else:
                self._append()
        except Exception as error:
            self.error = error

    def _append(self) -> None:
        path = Path(self._place) / self._table / f"{utcnow():%Y-%m-%d}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(self._data)
            file.flush()
            os.fsync(file.fileno())  # the rows go for ever after this

    def _put(self) -> None:
        from fsspec.core import url_to_fs  # type: ignore[import-untyped,import-not-found,unused-ignore]

        system, name = url_to_fs(f"{self._place}/{self._table}/{utcnow():%Y-%m-%d}/{new_id()}.jsonl")
        system.makedirs(str(name).rpartition("/")[0], exist_ok=True)
        system.pipe_file(name, self._data)
