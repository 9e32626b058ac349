"""Decides how log records of a task become the JSON records of its log file, and where warnings go.

A record is ``{"timestamp", "level", "event", "logger", "filename", "lineno"}``, every extra keyword beside it, and
``error_detail`` for a traceback. stdout and stderr are pipes that the supervisor reads; they do not pass here.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from orchestrator.sdk.error_detail import error_detail

Record = dict[str, Any]

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "keywords"}
_LEVELS = {
    logging.DEBUG: "debug",
    logging.INFO: "info",
    logging.WARNING: "warning",
    logging.ERROR: "error",
    logging.CRITICAL: "critical",
}
MAX_EXTRA = 20_000  # characters of one extra value
MAX_EVENT = 1_000_000  # characters of one line


class RecordSink(Protocol):
    """What a handler needs of a channel."""

    def send(self, message: dict[str, Any]) -> None:
        """Take one message."""


class KeywordLogger(logging.Logger):
    """A logger that also takes keywords: ``log.info("copied", rows=5)``."""

    def _log(  # type: ignore[override]
        self,
        level: int,
        msg: object,
        args: Any,
        exc_info: Any = None,
        extra: dict[str, Any] | None = None,
        stack_info: bool = False,
        stacklevel: int = 1,
        **keywords: Any,
    ) -> None:
        merged = {**(extra or {}), "keywords": keywords} if keywords else extra
        super()._log(level, msg, args, exc_info, merged, stack_info, stacklevel + 1)


class ChannelHandler(logging.Handler):
    """Sends records to the supervisor; in a child that the task forked, or without supervisor, to stderr."""

    def __init__(self, channel: RecordSink) -> None:
        super().__init__()
        self.channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record; a log line is never a reason for a task to fail."""
        if not getattr(self.channel, "is_usable", True):
            _to_stderr(record)
            return
        try:
            self.channel.send({"type": "Log", "record": as_record(record)})
        except ConnectionError:
            _to_stderr(record)
        except Exception:
            self.handleError(record)


def as_record(record: logging.LogRecord) -> Record:
    """Return the JSON form of a log record."""
    document: Record = {
        "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "level": _LEVELS.get(record.levelno, record.levelname.lower()),
        "event": _cut(record.getMessage()),
        "logger": record.name,
        "filename": record.filename,
        "lineno": record.lineno,
    }
    extras = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    for name, value in {**extras, **getattr(record, "keywords", {})}.items():
        document.setdefault(name, plain(value))
    if record.exc_info and record.exc_info[1] is not None:
        document["error_detail"] = error_detail(record.exc_info[1])
    if record.stack_info:
        document["stack"] = record.stack_info
    return document


def _cut(text: str) -> str:
    """Return a line without what is beyond the longest: a returned value of 200 MB is no log line."""
    return text if len(text) <= MAX_EVENT else f"{text[:MAX_EVENT]}... ({len(text) - MAX_EVENT} more characters)"


def plain(value: Any, depth: int = 0) -> Any:
    """Return the value as JSON types, its ``repr`` where it is something else."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value[:MAX_EXTRA]
    if depth < 5 and isinstance(value, dict):
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    if depth < 5 and isinstance(value, list | tuple):
        return [plain(item, depth + 1) for item in value]
    try:
        return repr(value)[:MAX_EXTRA]
    except Exception as error:
        return f"<{type(value).__name__}: its repr() raises {type(error).__name__}>"


def install(channel: RecordSink, level: str = "INFO") -> Callable[[], None]:
    """Send everything that is logged and warned to the channel; returns the function that undoes it."""
    root, handler = logging.getLogger(), ChannelHandler(channel)
    before = (root.handlers[:], root.level, warnings.showwarning, logging.raiseExceptions)
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    warnings.showwarning = _warn

    def undo() -> None:
        root.handlers[:], root.level, warnings.showwarning, logging.raiseExceptions = before
        root.setLevel(before[1])

    return undo


def get_logger(name: str) -> logging.Logger:
    """Return the logger of that name, one that takes keywords unless someone made it before."""
    kind = logging.getLoggerClass()
    if issubclass(kind, KeywordLogger):
        return logging.getLogger(name)
    logging.setLoggerClass(KeywordLogger)
    try:
        return logging.getLogger(name)
    finally:
        logging.setLoggerClass(kind)


def _warn(message: Any, category: type[Warning], filename: str, lineno: int, file: Any = None, line: str | None = None) -> None:
    if file is not None:
        file.write(warnings.formatwarning(message, category, filename, lineno, line))
        return
    record = logging.LogRecord("py.warnings", logging.WARNING, filename, lineno, str(message), None, None)
    record.category = category.__name__
    logging.getLogger("py.warnings").handle(record)


def _to_stderr(record: logging.LogRecord) -> None:
    try:
        sys.stderr.write(f"{record.levelname}: {record.getMessage()}\n")
    except (OSError, ValueError):
        return
