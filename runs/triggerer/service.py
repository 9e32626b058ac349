"""Decides what a triggerer process consists of: its duties, its runners, its heartbeat, and how it leaves."""

from __future__ import annotations

import logging
from collections.abc import Collection

from dags_app.models import Bundle
from orchestrator.config import conf
from orchestrator.database import notify_on_commit, refresh_connection, wakeup_for
from orchestrator.kernel.service import Service
from orchestrator.metrics.duty import Source, metrics_duty
from orchestrator.processes.presence import Presence
from runs.changes import TRIGGERER_TOPIC
from runs.triggerer.answers import Answers
from runs.triggerer.claim_triggers import ClaimTriggers
from runs.triggerer.lanes import Lanes
from runs.triggerer.take_reports import TakeReports
from runs.triggerer.trigger_logs import TriggerLogs
from runs.triggerer.waits import Wait
from runs.triggerer.watch_assets import WatchAssets

log = logging.getLogger(__name__)

STOP_SECONDS = 10.0


class TriggererService:
    """One triggerer process. It holds triggers under leases; user code runs in its runners only."""

    def __init__(self, queues: Collection[str] = ()) -> None:
        beat_seconds = float(conf.get("triggerer", "job_heartbeat_sec"))
        self.waits: dict[int, Wait] = {}
        self.lanes = Lanes([], idle_seconds=float(conf.get("triggerer", "runner_idle_seconds")))
        self.logs = TriggerLogs()
        self.answers = Answers(self.logs)
        self.presence = Presence("triggerer", lambda: self.service.stop(), beat_seconds)
        self.reports = TakeReports(self.lanes, self.waits, self.logs, self.answers)
        self.claims = ClaimTriggers(self.presence, self.lanes, self.waits, queues)
        self.claims.rests = self.reports.rests
        self.service = Service(
            "triggerer",
            [self.reports, WatchAssets(), self.claims, *metrics_duty(lambda: self.presence.process_id, _measures)],
            wakeup_for(TRIGGERER_TOPIC),
            poll_seconds=beat_seconds,
            on_start=lambda: self.presence.start({"queues": sorted(queues)}),
            on_wake=self._wake,
            on_drain=self.lanes.shut_down,
            is_drained=self._is_drained,
            on_stop=self._leave,
            is_trusted=self.presence.is_trusted,
            drain_timeout_seconds=STOP_SECONDS,
        )

    def run(self) -> None:
        """Run until stopped by a signal."""
        self.service.run()

    def _wake(self) -> None:
        refresh_connection()
        self._listen()
        if not self.lanes.running:
            self.lanes.paths = import_paths()

    def _listen(self) -> None:
        """Runners come and go: the loop listens on those of now."""
        self.service.extra_fds = {self.answers.descriptor: self.answers.deliver, **self.lanes.descriptors()}

    def _is_drained(self) -> bool:
        self._listen()
        return self.lanes.is_empty

    def _leave(self) -> None:
        self.lanes.kill()
        try:
            self.reports.run_once(0)
            self.claims.release()
            notify_on_commit(TRIGGERER_TOPIC)
        except Exception:
            log.exception("the triggers of this triggerer stay claimed until its leases end")
        self.answers.close()
        self.logs.close()
        self.presence.stop()


def _measures() -> Source:
    return Source(own=lambda now: {})  # what a triggerer counts, it counts when it happens


def import_paths() -> list[str]:
    """Return the folders in which triggers may be defined: DAG bundles, plugins, configuration."""
    bundles = Bundle.objects.filter(is_active=True).values_list("path", flat=True)
    folders = [str(conf.get("core", "dags_folder")), *bundles, str(conf.get("core", "plugins_folder")), str(conf.home / "config")]
    return list(dict.fromkeys(folder for folder in folders if folder))


def build_service(queues: Collection[str] = ()) -> Service:
    """Return the loop of a new triggerer for the triggers of ``queues``; without any for those that have no queue.

    Raises ``ValueError`` for queues that no trigger will ever have.
    """
    if queues and not conf.get("triggerer", "queues_enabled"):
        raise ValueError("--queues may only be used when [triggerer] queues_enabled is True; triggers have no queue without it.")
    return TriggererService(queues).service
