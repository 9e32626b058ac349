"""Decides the steps of one round of retention: choose a chunk, export it where that is asked for, delete it (C18-b)."""

from __future__ import annotations

import logging
from collections import Counter
from functools import partial

from django.db import transaction

from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.telemetry import count
from runs.retention.chunks import Chunk, chunk_delete, chunks, large_values
from runs.retention.export import configured_export
from runs.retention.files import FileRemover, large_values_remove, old_logs_remove, run_files_remove
from runs.retention.rules import configured_rules, logs_before

log = logging.getLogger(__name__)


class Round:
    """One way through the history. Nothing is remembered: what a crash or an error leaves is found by the next round."""

    def __init__(self) -> None:
        now = utcnow()
        self.files = FileRemover()
        before = logs_before(now)
        if before is not None:
            self.files.add(partial(old_logs_remove, before))
        self.gone: Counter[str] = Counter()
        self._export = configured_export()
        self._chunks = chunks(configured_rules(now))
        self._chunk: Chunk | None = None  # chosen, and not deleted yet

    def step(self) -> int | None:
        """Delete one chunk; return how many rows went, 0 where it is still being exported, None at the end of the round.

        Raises ExportError where that failed: the step can be tried again. After any other error the round is over.
        """
        self._chunk = self._chunk or next(self._chunks, None)
        if self._chunk is None:
            return None
        if self._export is not None and not self._export.is_written(self._chunk):
            return 0
        chunk, self._chunk = self._chunk, None
        return self._delete(chunk)

    def _delete(self, chunk: Chunk) -> int:
        values = large_values(chunk)
        with transaction.atomic():
            gone, runs = chunk_delete(chunk)
        if runs:
            self.files.add(partial(run_files_remove, runs))
        if values:
            self.files.add(partial(large_values_remove, values))
        self.gone[chunk.table] += gone
        count("retention.deleted", gone, table=chunk.table)
        return gone

    def tell(self) -> str:
        """Log what the round deleted; return it as a sentence."""
        told = ", ".join(f"{rows} of {table}" for table, rows in sorted(self.gone.items()) if rows)
        if told:
            log.info("deleted old history: %s", told)
        return f"Deleted {told}." if told else "Nothing was old."


def pause_seconds() -> float:
    """Return for how long to rest after a step, so that others get their turn."""
    return float(conf.get("retention", "pause_seconds"))
