"""Decides what stands in the log file of one attempt: JSON lines, masked, bounded, closed by a trailer."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from orchestrator.sdk.execution.supervisor.log_files import LogFile, LogWriter
from orchestrator.sdk.execution.supervisor.settings import SupervisorSettings

MAX_LINE_BYTES = 64 * 1024
TRAILER_EVENT = "Task attempt ended"
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode
_text = json.JSONEncoder(ensure_ascii=False).encode


class Masker(Protocol):
    """What hides secrets in everything that leaves the worker."""

    def add(self, value: Any, name: str | None = None) -> None:
        """Take a value, or a container with names, whose secrets are hidden from now on."""

    def learn(self, answer: dict[str, Any]) -> None:
        """Take the secrets in an answer to a task."""

    def mask(self, value: Any) -> Any:
        """Return a text or JSON value with every known secret replaced."""

    def redact(self, value: Any) -> Any:
        """Return a JSON value with every known secret and everything under a sensitive name replaced."""


def timestamp() -> str:
    """Return now as Airflow's task logs write it: UTC, microseconds, `Z`."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class TaskLog:
    """Turns output and records of one attempt into lines of its file."""

    def __init__(self, path: Path, settings: SupervisorSettings, writer: LogWriter, masker: Masker) -> None:
        self._file = LogFile(path, settings.log_spool_bytes, settings.log_file_mode, settings.log_folder_mode)
        self._writer = writer
        self._masker = masker
        self._max_bytes = settings.log_max_bytes
        self._bytes = 0
        self._cut_lines = 0

    @property
    def dropped_lines(self) -> int:
        """Lines that are not in the file: the disk did not take them, or the log was too long."""
        return self._file.dropped_lines + self._cut_lines

    @property
    def is_behind(self) -> bool:
        """Whether the disk works but is slower than the task prints."""
        return self._file.is_behind

    def record(self, record: dict[str, Any]) -> None:
        """Write one structured record of the task."""
        frame = {"timestamp": record.get("timestamp") or timestamp(), "level": record.get("level", "info")}
        rest = {name: value for name, value in record.items() if name not in ("timestamp", "level")}
        self._put(_json({**frame, **self._masker.mask(rest)}) + "\n", 1)

    def say(self, event: str, level: str = "info", **details: object) -> None:
        """Write a line of the supervisor itself."""
        self.record({"timestamp": timestamp(), "level": level, "event": event, "logger": "supervisor", **details})

    def output(self, lines: list[str], logger: str, level: str) -> None:
        """Write lines that the task printed."""
        if self._bytes > self._max_bytes:
            self._cut_lines += len(lines)
            return
        head = f'{{"timestamp":"{timestamp()}","level":"{level}","event":'
        tail = f',"logger":"{logger}"}}\n'
        masked = str(self._masker.mask("\n".join(lines))).split("\n")
        self._put("".join([head + _text(line) + tail for line in masked]), len(lines))

    def close(self, trailer: dict[str, Any], last_line: str | None = None) -> None:
        """Write the trailer, then the reason for which the attempt was stopped, if it was; then close the file.

        Lines lost to a full disk are counted in the trailer as far as they are known by now.
        """
        self._bytes = -1  # the trailer is never cut
        level = "info" if trailer.get("cause") in (None, "success", "skip") else "error"
        lost = {"dropped_lines": self.dropped_lines} if self.dropped_lines else {}
        self.say(TRAILER_EVENT, level, **trailer, **lost)
        if last_line:
            self.say(last_line, "warning")
        self._writer.close(self._file)

    def _put(self, text: str, lines: int) -> None:
        if self._bytes > self._max_bytes:
            self._cut_lines += lines
            return
        data = text.encode("utf-8", "replace")
        self._file.put(data, lines, force=self._bytes < 0)
        if self._bytes >= 0:
            self._bytes += len(data)
            if self._bytes > self._max_bytes:
                marker = f"This log reached {self._max_bytes} bytes ([workers] log_max_bytes). What follows is not kept."
                record = {"timestamp": timestamp(), "level": "warning", "event": marker, "logger": "supervisor"}
                self._file.put((_json(record) + "\n").encode(), 1)
        self._writer.wrote_into(self._file)


class LineSplitter:
    """Cuts printed bytes into lines; a line longer than 64 KB is cut into pieces."""

    def __init__(self, emit: Callable[[list[str]], None]) -> None:
        self._emit = emit
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take bytes and pass on the complete lines."""
        pieces = (self._rest + data).split(b"\n") if self._rest else data.split(b"\n")
        self._rest = pieces.pop()
        while len(self._rest) > MAX_LINE_BYTES:
            pieces.append(self._rest[:MAX_LINE_BYTES])
            self._rest = self._rest[MAX_LINE_BYTES:]
        if pieces:
            self._emit([piece.decode("utf-8", "backslashreplace") for piece in pieces])

    def finish(self) -> None:
        """Pass on the last line, even without its newline."""
        if self._rest:
            rest, self._rest = self._rest, b""
            self._emit([rest.decode("utf-8", "backslashreplace")])
