"""Decides which process runs which trigger: one for all, one of its own for each that blocks, none while all is idle."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from orchestrator.kernel.backoff import delay
from orchestrator.kernel.clock import monotonic
from orchestrator.kernel.telemetry import count
from runs.triggerer.lane import Lane, Message

log = logging.getLogger(__name__)

BLOCKS_BEFORE_QUARANTINE = 3
# A block that lasts this long has no end in sight: the process is replaced.
HOPELESS_SECONDS = 10.0
CRASHES_BEFORE_SPLIT = 2


@dataclass
class Lanes:
    """The runners of this triggerer and the start messages of the triggers in them.

    Where a runner dies, its triggers start again; where they die again, they are split into halves until the one that
    does it is alone, and that one fails.
    """

    paths: list[str]
    idle_seconds: float
    make_lane: Callable[[list[str]], Lane] = Lane
    messages: list[Message] = field(default_factory=list)
    _lanes: list[Lane] = field(default_factory=list)
    _main: Lane | None = None
    _starts: dict[int, Message] = field(default_factory=dict)
    _blocks: Counter[int] = field(default_factory=Counter)
    _crashes: Counter[int] = field(default_factory=Counter)
    _quarantined: set[int] = field(default_factory=set)
    _moving: dict[int, Lane] = field(default_factory=dict)
    _waiting: list[int] = field(default_factory=list)  # not in a lane until `_not_before`
    _not_before: float = 0.0
    _failures: int = 0
    _empty_since: float | None = None

    @property
    def running(self) -> set[int]:
        """The ids of the triggers that run here."""
        return set(self._starts)

    @property
    def is_empty(self) -> bool:
        """Whether no runner is left."""
        return not self._lanes

    def start_message(self, trigger_id: int) -> Message | None:
        """Return what a trigger was started with; None for one that does not run here."""
        return self._starts.get(trigger_id)

    def start(self, message: Message) -> None:
        """Run a trigger; a second start of one that runs changes nothing."""
        if message["id"] in self._starts:
            return
        self._starts[message["id"]] = message
        self._waiting.append(message["id"])
        self.tend()

    def fail(self, message: Message, traceback: list[str]) -> None:
        """Report that a trigger cannot even be started with ``message``."""
        self._starts[message["id"]] = message
        self.messages.append({"type": "Failed", "id": message["id"], "traceback": traceback})

    def stop(self, trigger_id: int, reason: str) -> None:
        """Stop a trigger: ``cancelled`` runs its ``on_kill``, every other reason only its ``cleanup``."""
        lane = self._lane_of(trigger_id)
        self.forget(trigger_id)
        if lane is not None:
            lane.send({"type": "Stop", "id": trigger_id, "reason": reason})

    def forget(self, trigger_id: int) -> None:
        """Drop what is known of a trigger that has ended."""
        self._starts.pop(trigger_id, None)
        self._moving.pop(trigger_id, None)
        self._blocks.pop(trigger_id, None)
        self._crashes.pop(trigger_id, None)
        self._quarantined.discard(trigger_id)
        for lane in self._lanes:
            lane.triggers.discard(trigger_id)

    def descriptors(self) -> dict[Any, Callable[[], bool]]:
        """Return the sockets to listen on, with what reads them."""
        return {lane.socket: self.read for lane in self._lanes}

    def read(self) -> bool:
        """Take in what runners say; returns whether there is news for a duty."""
        for lane in list(self._lanes):
            for message in lane.read():
                self._take(lane, message)
            if lane.is_gone:
                self._lose(lane)
        return bool(self.messages)

    def tend(self) -> float | None:
        """Start what waits and end what is idle; returns the seconds until it has to be called again, None for never."""
        if self._waiting and monotonic() >= self._not_before:
            waiting, self._waiting = self._waiting, []
            for trigger_id in waiting:
                if trigger_id in self._starts:
                    self._place(trigger_id)
        for lane in self._lanes:
            lane.flush()
        if self._waiting:
            return max(0.0, self._not_before - monotonic())
        return self._end_idle()

    def shut_down(self) -> None:
        """Ask every runner to stop its triggers and end; they restart elsewhere."""
        self._waiting.clear()
        for lane in self._lanes:
            lane.send({"type": "Shutdown"})

    def kill(self) -> None:
        """End every runner at once."""
        for lane in self._lanes:
            lane.kill()
        self._lanes.clear()

    def _lane_of(self, trigger_id: int) -> Lane | None:
        return next((lane for lane in self._lanes if trigger_id in lane.triggers), None)

    def _place(self, trigger_id: int, lane: Lane | None = None) -> None:
        lane = lane or self._choose(trigger_id)
        lane.triggers.add(trigger_id)
        lane.send(self._starts[trigger_id])

    def _choose(self, trigger_id: int) -> Lane:
        if trigger_id in self._quarantined:
            return self._open()
        if self._main is None:
            self._main = self._open()
        return self._main

    def _open(self) -> Lane:
        lane = self.make_lane(self.paths)
        self._lanes.append(lane)
        self._empty_since = None
        log.info("runner of triggers started, pid %d", lane.pid)
        return lane

    def _take(self, lane: Lane, message: Message) -> None:
        kind = message["type"]
        if kind == "Blocked":
            self._block(lane, message["id"], float(message["seconds"]))
        elif kind == "Stopped":
            trigger_id = int(message["id"])
            if self._moving.pop(trigger_id, None) is lane and trigger_id in self._starts:
                lane.triggers.discard(trigger_id)
                self._place(trigger_id)
        else:
            self.messages.append(message | {"lane": lane})

    def _block(self, lane: Lane, trigger_id: int | None, seconds: float) -> None:
        count("triggers.blocked_main_thread")
        log.warning("trigger %s blocks its runner for %.1f s", trigger_id, seconds)
        if trigger_id is None or trigger_id not in lane.triggers:
            return
        hopeless = seconds >= HOPELESS_SECONDS
        self._blocks[trigger_id] += 0 if hopeless else 1
        # One that was told to move and blocks for ever never hears it.
        if not hopeless and (trigger_id in self._quarantined or self._blocks[trigger_id] < BLOCKS_BEFORE_QUARANTINE):
            return
        self._quarantined.add(trigger_id)
        if len(lane.triggers) == 1:
            self._main = None if lane is self._main else self._main  # it keeps this runner for itself
        elif hopeless:
            log.error("runner %d is replaced, because trigger %d blocks it without end", lane.pid, trigger_id)
            lane.kill()
            self._restart(lane)
        else:
            self._moving[trigger_id] = lane
            lane.send({"type": "Stop", "id": trigger_id, "reason": "moved"})

    def _lose(self, lane: Lane) -> None:
        """A runner has ended: nothing is lost, because what its triggers wait for is in their arguments."""
        if lane.exit_code:
            log.error(
                "runner of triggers %d ended with %s; %d triggers start again", lane.pid, lane.exit_code, len(lane.triggers)
            )
            self._failures += 1
            self._not_before = monotonic() + delay(self._failures, base=0.2, cap=30.0)
            self._crashes.update(lane.triggers)
        self._restart(lane)

    def _restart(self, lane: Lane) -> None:
        if lane in self._lanes:
            self._lanes.remove(lane)
        if lane is self._main:
            self._main = None
        ids = sorted(trigger_id for trigger_id in lane.triggers if trigger_id in self._starts)
        for trigger_id in ids:
            self._moving.pop(trigger_id, None)
        if not ids or max(self._crashes[trigger_id] for trigger_id in ids) < CRASHES_BEFORE_SPLIT:
            self._waiting += ids
        elif len(ids) == 1:
            text = f"The process that ran this trigger ended with {lane.exit_code}, each time that it was started."
            self.messages.append({"type": "Failed", "id": ids[0], "traceback": [text], "lane": lane})
        else:
            middle = len(ids) // 2
            for half in (ids[:middle], ids[middle:]):
                apart = self._open()
                for trigger_id in half:
                    self._place(trigger_id, apart)

    def _end_idle(self) -> float | None:
        for lane in [lane for lane in self._lanes if not lane.triggers and lane is not self._main]:
            lane.send({"type": "Shutdown"})
        if self._main is None or self._main.triggers:
            self._empty_since = None
            return None
        now = monotonic()
        self._empty_since = self._empty_since or now
        left = self._empty_since + self.idle_seconds - now
        if left > 0:
            return left
        self._main.send({"type": "Shutdown"})
        self._main, self._empty_since, self._failures = None, None, 0
        return None
