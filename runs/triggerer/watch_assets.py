"""Decides when the triggers of asset watchers are brought in line with the DAGs, and how those that ended rest."""

from __future__ import annotations

from collections import Counter

from orchestrator.kernel.backoff import delay
from orchestrator.kernel.clock import monotonic, utcnow
from orchestrator.kernel.service import Result
from runs.assets.watchers import triggers_settle

LOOK_SECONDS = 1.0
REST_SECONDS, LONGEST_REST_SECONDS = 0.5, 60.0


class WatchAssets:
    """Keeps one trigger per kind of watcher while a DAG listens to its asset."""

    name = "watch_assets"

    def __init__(self) -> None:
        self._look_at = 0.0

    def run_once(self, limit: int) -> Result:
        """Look at most once a second, however busy the triggerer is."""
        wait = self._look_at - monotonic()
        if wait > 0:
            return Result(next_in=wait)
        self._look_at = monotonic() + LOOK_SECONDS
        return Result(done=triggers_settle(utcnow()))


class Rests:
    """How long a watcher's trigger rests before it starts again: shortly after an event, ever longer after failures."""

    def __init__(self) -> None:
        self._until: dict[int, float] = {}
        self._failures: Counter[int] = Counter()

    def note_event(self, trigger_id: int) -> None:
        """What gives events works."""
        self._failures.pop(trigger_id, None)

    def note_end(self, trigger_id: int) -> None:
        """It has ended, by itself or by an error."""
        self._failures[trigger_id] += 1
        rest = delay(self._failures[trigger_id], base=REST_SECONDS, cap=LONGEST_REST_SECONDS)
        self._until[trigger_id] = monotonic() + rest

    def resting(self) -> set[int]:
        """Return those that must not start yet."""
        now = monotonic()
        self._until = {trigger_id: until for trigger_id, until in self._until.items() if until > now}
        return set(self._until)

    def next_in(self) -> float | None:
        """Return the seconds until the first of them may start, None for none."""
        return max(0.0, min(self._until.values()) - monotonic()) if self._until else None
