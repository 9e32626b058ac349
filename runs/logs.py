"""Decides how task logs are found and read: by whole lines, a chunk at a time, never the whole file in memory."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from orchestrator.config import conf
from runs.models import AttemptFields
from runs.scheduler.workloads import log_path

CHUNK_BYTES = 256 * 1024
# A longer line is cut: one record must not fill the memory of the server.
LONGEST_LINE_BYTES = 1024 * 1024


class LogPathError(ValueError):
    """An id leads out of the log folder."""


@dataclass(frozen=True, slots=True)
class LogLines:
    """Some records, and the byte at which the next read goes on."""

    records: list[dict[str, Any]]
    position: int
    size: int


def log_file(attempt: AttemptFields) -> Path:
    """Return where the log of an attempt is. Raises ``LogPathError`` where an id climbs out of the log folder."""
    base = Path(conf.get("logging", "base_log_folder")).absolute()
    relative = log_path(attempt.dag_id, attempt.run_id, attempt.task_id, attempt.map_index, attempt.try_number)
    path = base / relative
    if ".." in Path(relative).parts or not path.resolve().is_relative_to(base.resolve()):
        raise LogPathError(f"The log path {relative} leads out of [logging] base_log_folder")
    return path


def log_read(path: Path, position: int = 0, *, max_bytes: int = CHUNK_BYTES) -> LogLines:
    """Return the records of the next chunk; a line that is not complete yet is left for the next read.

    A missing file is an empty one: the worker may not have written yet.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(min(position, size))
            chunk = file.read(max_bytes)
    except OSError:
        return LogLines([], position, 0)
    end = chunk.rfind(b"\n") + 1
    if end == 0 and len(chunk) >= max_bytes:
        return _long_line(path, position, max_bytes, size)
    return LogLines([log_record(line) for line in chunk[:end].splitlines() if line.strip()], position + end, size)


def log_tail_position(path: Path, lines: int) -> int:
    """Return the byte at which the last ``lines`` lines begin."""
    try:
        with path.open("rb") as file:
            return _tail(file, file.seek(0, 2), lines)
    except OSError:
        return 0


def log_records(path: Path, position: int = 0) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield every record written so far with the position after its chunk."""
    while True:
        found = log_read(path, position)
        if found.position == position:
            return
        for record in found.records:
            yield record, found.position
        position = found.position


def log_record(line: bytes) -> dict[str, Any]:
    """Return a line as a record; what is no JSON object is the text of one."""
    try:
        document = json.loads(line)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        return {"event": line.decode(errors="replace")}
    document.setdefault("event", "")
    return document if isinstance(document["event"], str) else document | {"event": str(document["event"])}


def log_source(path: Path, is_there: bool, ended_at: datetime | None) -> list[dict[str, Any]]:
    """Return the records that say where a log comes from, and that there is none."""
    head: list[dict[str, Any]] = [
        {"event": "::group::Log message source details", "sources": [str(path)]},
        {"event": "::endgroup::"},
    ]
    if is_there:
        return head
    because = "the task has not written yet" if ended_at is None else "it was deleted, or the task never started a process"
    return [*head, {"event": f"The log file does not exist: {because}."}]


def _long_line(path: Path, position: int, max_bytes: int, size: int) -> LogLines:
    """A line longer than the chunk: return its beginning and skip the rest."""
    with path.open("rb") as file:
        file.seek(position)
        beginning = file.read(max_bytes)
        end = position + len(beginning)
        while chunk := file.read(CHUNK_BYTES):
            found = chunk.find(b"\n")
            end += len(chunk) if found < 0 else found + 1
            if found >= 0:
                break
    text = beginning[:LONGEST_LINE_BYTES].decode(errors="replace")
    return LogLines([{"event": f"{text} … (line cut)"}], end, size)


def _tail(file: Any, size: int, lines: int) -> int:
    position, newlines = size, 0
    while position > 0:
        start = max(0, position - CHUNK_BYTES)
        file.seek(start)
        chunk = file.read(position - start)
        cut = len(chunk) - 1 if position == size else len(chunk)
        while (cut := chunk.rfind(b"\n", 0, cut)) >= 0:
            newlines += 1
            if newlines == lines:
                return int(start + cut + 1)
        position = start
    return 0
