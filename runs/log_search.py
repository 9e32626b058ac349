"""Decides how a log is searched on the server: for a text, or for its first error, within bounds of time and bytes.

The bytes of the file are searched first, and only lines that may match are read as records. Regular expressions of people
are not run here: one bad expression would hold the server; see ``runs/log_expression.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, BinaryIO

from runs.log_window import Line
from runs.logs import log_record

MOST_BYTES = 256 * 1024 * 1024
MOST_SECONDS = 1.5
MOST_MATCHES = 500
_CHUNK = 1024 * 1024
_ERROR = re.compile(rb'"level"\s*:\s*"(?:error|critical|fatal|ERROR|CRITICAL|FATAL)"')
_WORD = re.compile("[a-z0-9_]+")
# What a program prints to stderr counts as an error, and the platform's last word on a failure follows it.
_LESSER = frozenset({"task.stderr", "supervisor"})
_UNSEEN = frozenset({"event", "timestamp", "level", "error_detail"})
Spots = Callable[[bytes], Iterator[int]]


@dataclass(slots=True)
class Found:
    """The bytes at which matching lines begin, up to where a file was looked through, if that is all, and if there is no file."""

    positions: list[int] = field(default_factory=list)
    scanned: int = 0
    complete: bool = False
    is_missing: bool = False


@dataclass(slots=True)
class Bounds:
    """How much may still be read, over as many files as share it: bytes, and until which second of the process's clock."""

    left: int = MOST_BYTES
    until: float = field(default_factory=lambda: monotonic() + MOST_SECONDS)

    @property
    def are_reached(self) -> bool:
        """True where no more may be read."""
        return self.left <= 0 or monotonic() >= self.until


def find_text(path: Path, text: str, start: int = 0) -> Found:
    """Return the lines that show a text, whatever its case."""
    wanted, found = text.lower(), Found(scanned=start)
    for line in candidates(path, found, spots_of(text)):
        if wanted in shown_text(line.record).lower():
            found.positions.append(line.position)
            if len(found.positions) >= MOST_MATCHES:
                found.scanned = line.position + 1
                found.complete = False
                break
    return found


def find_error(path: Path, start: int = 0) -> Found:
    """Return the first error from a byte on; one of the task's own before what only came over stderr."""
    found, lesser = Found(scanned=start), []
    for line in candidates(path, found, lambda chunk: (match.start() for match in _ERROR.finditer(chunk))):
        if line.record.get("logger") not in _LESSER:
            found.positions.append(line.position)
            return found
        lesser.append(line.position)
    found.positions = lesser[:1]
    return found


def shown_text(record: dict[str, Any]) -> str:
    """Return what a page shows of a record, as one text."""
    parts = [str(record.get("event", ""))]
    parts += [f"{name}={value}" for name, value in record.items() if name not in _UNSEEN]
    for error in record.get("error_detail") or ():
        if isinstance(error, dict):
            parts.append(f"{error.get('exc_type')}: {error.get('exc_value')}")
            frames = (frame for frame in error.get("frames") or () if isinstance(frame, dict))
            parts += [f"{f.get('filename')}:{f.get('lineno')} in {f.get('name')}" for f in frames]
    return "\n".join(parts)


def spots_of(text: str) -> Spots:
    """Return where in some bytes a line may be that shows a text, by its longest word.

    A file has the rest of it in other ways: colours between words, fields as JSON, letters beyond ASCII in either case.
    """
    needle = max(_WORD.findall(text.lower()), key=len, default="").encode()
    return (lambda chunk: _spots(chunk.lower(), needle)) if needle or not text else every_line


def every_line(chunk: bytes) -> Iterator[int]:
    """Return where each line begins."""
    place = 0
    while 0 <= place < len(chunk):
        yield place
        place = chunk.find(b"\n", place) + 1 or -1


def _spots(chunk: bytes, needle: bytes) -> Iterator[int]:
    place = chunk.find(needle)
    while needle and place >= 0:
        yield place
        place = chunk.find(needle, place + len(needle))


def candidates(path: Path, found: Found, spots: Spots, bounds: Bounds | None = None) -> Iterator[Line]:
    """Yield each line in which something is, once; ``found`` learns how far this came."""
    try:
        with path.open("rb") as file:
            yield from _scan(file, found, spots, bounds or Bounds())
    except OSError:
        found.complete = found.is_missing = True


def _scan(file: BinaryIO, found: Found, spots: Spots, bounds: Bounds) -> Iterator[Line]:
    rest = b""
    begin = _whole_line(file, found.scanned)
    while not bounds.are_reached:
        read = file.read(_CHUNK)
        bounds.left -= len(read)
        data = rest + read
        end = data.rfind(b"\n") + 1 if read else len(data)
        yield from _lines(data[:end], begin, spots)
        rest, begin = data[end:], begin + end
        found.scanned = begin
        if not read:
            found.complete = True
            return
        if len(rest) > 4 * _CHUNK:  # a line without an end: not one of ours
            begin, rest = begin + len(rest), b""


def _whole_line(file: BinaryIO, position: int) -> int:
    """Return where the first line begins that does not begin before a byte, and leave the file there."""
    file.seek(max(0, position - 1))
    return position - 1 + len(file.readline(_CHUNK)) if position else 0


def _lines(data: bytes, begin: int, spots: Spots) -> Iterator[Line]:
    """Yield the lines of the spots, each once; a line that is full of spots is not gone through for each of them."""
    over = 0
    for spot in spots(data):
        if spot < over:
            continue
        start = max(over, data.rfind(b"\n", over, spot) + 1)
        end = data.find(b"\n", spot)
        end = end if end >= 0 else len(data)
        over = end + 1
        yield Line(begin + start, log_record(data[start:end]))
