"""Decides how the page tests write the log of a try."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from runs.logs import log_file


def write_log(ti: Any, records: Iterable[Any]) -> Path:
    """Write records as JSON lines; a text stands for itself."""
    path = log_file(ti)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join((item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)) + "\n" for item in records))
    return path


def said(event: str, **fields: Any) -> dict[str, Any]:
    """A record as workers write it."""
    return {"timestamp": "2026-01-05T12:00:01.5Z", "level": "info", "event": event, "logger": "task", **fields}
