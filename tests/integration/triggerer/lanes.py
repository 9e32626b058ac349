"""Decides how tests run triggers without a process: a lane that says what the test wants."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from orchestrator.processes.presence import Presence
from orchestrator.processes.services import process_end, process_register
from runs.triggerer.answers import Answers
from runs.triggerer.claim_triggers import ClaimTriggers
from runs.triggerer.lanes import Lanes
from runs.triggerer.take_reports import TakeReports
from runs.triggerer.trigger_logs import TriggerLogs
from runs.triggerer.waits import Wait


class ScriptedLane:
    """Keeps what it is sent; what it ``says`` is read next. ``die`` ends it."""

    def __init__(self, paths: list[str]) -> None:
        self.triggers: set[int] = set()
        self.exit_code: int | None = None
        self.sent: list[dict[str, Any]] = []
        self.says: list[dict[str, Any]] = []
        self.socket, self.pid = object(), 1

    @property
    def is_gone(self) -> bool:
        return self.exit_code is not None

    def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    def flush(self) -> None:
        """Nothing waits."""

    def read(self) -> list[dict[str, Any]]:
        said, self.says = self.says, []
        return said

    def kill(self) -> None:
        self.exit_code = -9

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """Return what was sent of a type."""
        return [message for message in self.sent if message["type"] == kind]


class Triggerer:
    """A triggerer that runs when the test says so."""

    def __init__(self, queues: Collection[str] = ()) -> None:
        self.opened: list[ScriptedLane] = []
        self.waits: dict[int, Wait] = {}
        self.lanes = Lanes([], idle_seconds=60.0, make_lane=self._open)  # type: ignore[arg-type]
        self.presence = Presence("triggerer", lambda: None)
        self.presence.process_id = process_register("triggerer").pk
        logs = TriggerLogs()
        self.logs = logs
        self.reports = TakeReports(self.lanes, self.waits, logs, Answers(logs))
        self.claims = ClaimTriggers(self.presence, self.lanes, self.waits, queues)

    def _open(self, paths: list[str]) -> ScriptedLane:
        self.opened.append(ScriptedLane(paths))
        return self.opened[-1]

    @property
    def lane(self) -> ScriptedLane:
        """The lane opened last."""
        return self.opened[-1]

    def look(self) -> None:
        """Run one round."""
        self.lanes.read()
        self.reports.run_once(200)
        self.claims.run_once(200)

    def say(self, kind: str, trigger_id: int, **more: Any) -> None:
        """Have the runner say something and take it in."""
        lane = next((lane for lane in self.opened if trigger_id in lane.triggers), self.lane)
        lane.says.append({"type": kind, "id": trigger_id, **more})
        self.look()

    def die(self) -> None:
        """End its process row, as another triggerer sees it after a kill."""
        assert self.presence.process_id is not None
        process_end(self.presence.process_id)
