"""Decides how the parts' own log records look on the console; task logs are written elsewhere."""

import json
import logging
import time
import traceback


class LineFormatter(logging.Formatter):
    """``2026-01-02T03:04:05.678Z INFO logger: text``, with the traceback on the next lines."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")


class JsonFormatter(logging.Formatter):
    """One JSON document per line with ``timestamp``, ``level``, ``logger``, ``event`` and ``exception``."""

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        document = {
            "timestamp": f"{self.formatTime(record, '%Y-%m-%dT%H:%M:%S')}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        if record.exc_info:
            document["exception"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(document, default=str)
