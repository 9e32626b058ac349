"""Decides how what a file prints and logs while it is parsed looks in its log: one JSON document per line."""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime

from orchestrator.sdk.parsing.protocol import LONGEST_LOG_BYTES

LONGEST_LINE_BYTES = 64 * 1024


def open_log(path: str) -> int:
    """Open the log for appending, with its folders; returns -1 where that fails (disk full, no rights).

    A file of a day that has become too long begins anew; the one before it is kept as ``<path>.1`` (C18-e).
    """
    if not path:
        return -1
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.exists(path) and os.path.getsize(path) > LONGEST_LOG_BYTES:
            os.replace(path, f"{path}.1")
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError:
        return -1


def write_line(fd: int, level: str, event: str, logger: str) -> None:
    """Append one line; a log that cannot be written never fails a parse."""
    if fd < 0:
        return
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    line = json.dumps({"timestamp": now, "level": level, "event": event, "logger": logger})
    try:
        os.write(fd, line.encode() + b"\n")
    except OSError:
        return


class JsonLines(logging.Handler):
    """Writes the log records of a file's code to its log."""

    def __init__(self, fd: int) -> None:
        super().__init__()
        self._fd = fd

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, with its traceback."""
        try:
            event = record.getMessage()
        except Exception:
            event = repr(record.msg)
        if record.exc_info:
            event = f"{event}\n{logging.Formatter().formatException(record.exc_info)}"
        write_line(self._fd, record.levelname.lower(), event[:LONGEST_LINE_BYTES], record.name)


class OutputLines:
    """Turns the bytes of a pipe into lines of the log, up to a limit for one parse."""

    def __init__(self, fd: int, level: str, logger: str, limit: int) -> None:
        self._fd, self._level, self._logger, self._left = fd, level, logger, limit
        self._rest = b""
        self.tail = ""

    def feed(self, chunk: bytes) -> None:
        """Take what arrived; a line without end is cut at ``LONGEST_LINE_BYTES``."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > LONGEST_LINE_BYTES:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._write(line)

    def close(self) -> None:
        """Write the last line if it has no end."""
        if self._rest:
            self._write(self._rest)
            self._rest = b""

    def _write(self, line: bytes) -> None:
        text = line[:LONGEST_LINE_BYTES].decode("utf-8", "replace").rstrip("\r")
        self.tail = (self.tail + text + "\n")[-16_000:]
        if self._left <= 0:
            return
        self._left -= len(line) + 1
        if self._left <= 0:
            text += " ... (the rest of the output is left out)"
        write_line(self._fd, self._level, text, self._logger)
