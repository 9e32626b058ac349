"""Decides where the log lines of a trigger go: into the log of the attempt that waits for it, after what its worker wrote."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from orchestrator.sdk.execution.masking import SecretsMasker

log = logging.getLogger(__name__)

_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode


class TriggerLogs:
    """Appends records to log files in a thread of its own, so that a slow disk holds nothing up; secrets are hidden."""

    def __init__(self) -> None:
        self.masker = SecretsMasker()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="trigger-logs")

    def write(self, records: Iterable[tuple[Path, dict[str, Any]]]) -> None:
        """Append each record to its file."""
        lines: dict[Path, list[str]] = defaultdict(list)
        for path, record in records:
            lines[path].append(_json(self.masker.mask(record)) + "\n")
        for path, some in lines.items():
            self._thread.submit(_append, path, "".join(some).encode("utf-8", "replace"))

    def close(self) -> None:
        """Write what waits."""
        self._thread.shutdown(wait=True)


def _append(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # One write of whole lines: the supervisor appends to the same file when the task goes on.
        with path.open("ab", buffering=0) as file:
            file.write(data)
    except OSError as error:
        log.warning("cannot write the log %s: %s", path, error)
