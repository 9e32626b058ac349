"""Decides which part of a log a page gets: some lines around a byte of the file, never the whole file.

Every line is named by the byte at which it begins, so that a link to it stays right while the file grows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from runs.logs import CHUNK_BYTES, log_record

TAIL_LINES = 500
# A window is cut at this many bytes, whatever its lines.
WINDOW_BYTES = 2 * 1024 * 1024
# Up to here the lines before a window are counted, to number them; beyond, counting would cost more than the page.
COUNTED_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """One record and the byte at which its line begins."""

    position: int
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Window:
    """Some lines that follow each other, where they begin and end, the size of the file, and the number of the first line."""

    lines: list[Line] = field(default_factory=list)
    start: int = 0
    end: int = 0
    size: int = 0
    number: int | None = 1

    @property
    def has_more(self) -> bool:
        """True where the file goes on after the window."""
        return self.end < self.size


def tail(path: Path, *, lines: int = TAIL_LINES, is_over: bool = False) -> Window:
    """Return the last lines."""
    return _window(path, None, lines, 0, is_over)


def around(path: Path, position: int, *, is_over: bool = False) -> Window:
    """Return the lines around a byte."""
    return _window(path, position, TAIL_LINES // 4, TAIL_LINES, is_over)


def before(path: Path, position: int) -> Window:
    """Return the lines that end before a byte, where a line begins."""
    return _window(path, position, TAIL_LINES, 0, False)


def after(path: Path, position: int, number: int | None = None, *, is_over: bool = False) -> Window:
    """Return the lines from a byte on, where a line begins; ``number`` is what is known of the first one."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            lines, end, is_done = _forward(file, min(position, size), TAIL_LINES, size, is_over)
    except OSError:
        return Window([], position, position, 0, number)
    return Window(lines, position, end, end if is_done else size, number)


def _window(path: Path, position: int | None, earlier: int, later: int, is_over: bool) -> Window:
    """The lines before a byte, and as many from it on; without a byte those before the end."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            place = size if position is None else _begin(file, min(position, size))
            start = _back(file, place, earlier)
            lines, end, is_done = _forward(file, start, earlier, place, is_over and place == size)
            if later:
                more, end, is_done = _forward(file, place, later, size, is_over)
                lines += more
            return Window(lines, start, end, end if is_done and (later or place == size) else size, _number(file, start))
    except OSError:
        return Window()


def _begin(file: BinaryIO, position: int) -> int:
    """Return where the line begins that a byte is in."""
    return position if position == 0 else _back(file, position + 1, 1) if _at(file, position - 1) != b"\n" else position


def _at(file: BinaryIO, position: int) -> bytes:
    file.seek(position)
    return file.read(1)


def _back(file: BinaryIO, position: int, lines: int) -> int:
    """Return where the line begins that is so many lines before; what would be more than a window is left out."""
    left, place, least = lines, position, max(0, position - WINDOW_BYTES)
    newest_cut = position - 1  # the newline that ends the line before does not count
    while place > least:
        begin = max(least, place - CHUNK_BYTES)
        file.seek(begin)
        chunk = file.read(place - begin)
        cut = min(len(chunk), newest_cut - begin)
        while cut > 0 and (cut := chunk.rfind(b"\n", 0, cut)) >= 0:
            left -= 1
            if left == 0:
                return begin + cut + 1
        place = begin
    return min(_next_line(file, least), position) if least else 0


def _next_line(file: BinaryIO, position: int) -> int:
    """Return where the next line begins; a line without an end is cut where looking on would take too long."""
    file.seek(position)
    last = position + 4 * WINDOW_BYTES
    while position < last and (chunk := file.read(CHUNK_BYTES)):
        found = chunk.find(b"\n")
        if found >= 0:
            return position + found + 1
        position += len(chunk)
    return position


def _forward(file: BinaryIO, start: int, lines: int, limit: int, is_over: bool) -> tuple[list[Line], int, bool]:
    """Return lines from a byte up to a limit, where the next one begins, and whether there is none of them yet.

    A line that is still written is left for the next time.
    """
    file.seek(start)
    data = file.read(min(limit - start, WINDOW_BYTES))
    reaches_limit = start + len(data) >= limit
    found: list[Line] = []
    place = 0
    while len(found) < lines and (end := data.find(b"\n", place)) >= 0:
        found.append(Line(start + place, log_record(data[place:end])))
        place = end + 1
    if not found and len(data) >= WINDOW_BYTES:
        text = data[:CHUNK_BYTES].decode(errors="replace")
        return [Line(start, {"event": f"{text} … (line cut)"})], _next_line(file, start + len(data)), False
    is_done = reaches_limit and data.find(b"\n", place) < 0
    if is_done and is_over and place < len(data):
        return [*found, Line(start + place, log_record(data[place:]))], limit, True
    return found, start + place, is_done


def _number(file: BinaryIO, start: int) -> int | None:
    if start > COUNTED_BYTES:
        return None
    return 1 + sum(chunk.count(b"\n") for chunk in _chunks(file, start))


def _chunks(file: BinaryIO, size: int) -> Iterator[bytes]:
    file.seek(0)
    while size > 0 and (chunk := file.read(min(size, CHUNK_BYTES))):
        size -= len(chunk)
        yield chunk
