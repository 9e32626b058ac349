"""Decides how the DAG processor is put together and run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from datetime import datetime

from django.db import transaction

from dags_app.bundles.git_tracking import GitTracking
from dags_app.processor.bundles import BundleSource, configured_bundles
from dags_app.processor.duties import LookDuty, ParseDuty
from dags_app.processor.parse_client import ParseClient
from dags_app.processor.processor import Processor
from dags_app.processor.settings import Settings
from dags_app.processor.watch import FileWatch
from dags_app.services import bundles_register
from orchestrator.config import ConfigurationError, conf
from orchestrator.database import refresh_connection, wakeup_for
from orchestrator.kernel.heartbeat import Heartbeat, HeartbeatLostError
from orchestrator.kernel.readiness import readable
from orchestrator.kernel.service import Result, Service
from orchestrator.metrics.duty import Gauges, Source, metrics_duty
from orchestrator.processes.models import Process
from orchestrator.processes.services import process_beat, process_end, process_register

log = logging.getLogger(__name__)

KIND = "dag_processor"
TOPIC = "dag_processor"
TRUST_BEATS = 5


def build_processor(names: Collection[str] = ()) -> Processor:
    """Return a processor for the configured bundles, or for the named ones.

    Raises ``ConfigurationError`` for a bundle that is not configured.
    """
    sources = configured_bundles()
    unknown = sorted(set(names) - {source.name for source in sources})
    if unknown:
        known = ", ".join(source.name for source in sources)
        raise ConfigurationError(f"There is no bundle {unknown[0]!r}; configured are: {known}.")
    with transaction.atomic():
        rows = bundles_register((item.name, item.kind, str(item.path), item.shown_kwargs()) for item in sources)
    chosen: list[BundleSource] = [source for source in sources if not names or source.name in names]
    by_name = {row.name: row for row in rows}
    return Processor([(source, by_name[source.name]) for source in chosen], Settings.from_configuration(), ParseClient())


class DagProcessorService:
    """The long-lived DAG processor: one loop, a thread that watches files, a thread that beats."""

    def __init__(self, names: Collection[str] = ()) -> None:
        self.processor = build_processor(names)
        self._watch = FileWatch([item.source.path for item in self.processor.bundles.values() if item.tracking is None])
        for tracking in self._repositories():
            tracking.on_fetched = self._watch.wake
        self._row: Process | None = None
        self._rounds_seen = -1
        self._zygote_fd: int | None = None
        scan_seconds = conf.get("dag_processor", "scan_interval_seconds")
        beat_seconds = conf.get("scheduler", "job_heartbeat_sec")
        self.heartbeat = Heartbeat(self._beat, beat_seconds, beat_seconds * TRUST_BEATS, self._stop, KIND)
        self.service = Service(
            name="dag_processor",
            duties=[
                LookDuty(self.processor, self._watch, scan_seconds, self._is_woken),
                ParseDuty(self.processor),
                _FollowZygote(self),
                *metrics_duty(lambda: self._row.pk if self._row else None, lambda: Source(self._gauges)),
            ],
            wakeup=wakeup_for(TOPIC),
            poll_seconds=scan_seconds,
            on_start=self._start,
            on_stop=self._end,
            on_wake=refresh_connection,
            is_trusted=self.heartbeat.is_trusted,
            extra_fds={self._watch.fd: self._watch.take},
        )

    def run(self) -> None:
        """Run until SIGTERM or SIGINT."""
        self.service.run()

    def follow_zygote(self) -> None:
        """Let answers of the present zygote wake the loop."""
        fd = self.processor.client.fileno
        if fd == self._zygote_fd:
            return
        if self._zygote_fd is not None:
            self.service.extra_fds.pop(self._zygote_fd, None)
        if fd is not None:
            self.service.extra_fds[fd] = lambda: True
        self._zygote_fd = fd

    def _start(self) -> None:
        self._row = process_register(KIND, detail={"bundles": sorted(self.processor.bundles)})
        self.heartbeat.start()
        self._watch.start()

    def _end(self) -> None:
        self.heartbeat.stop()
        self._watch.stop()
        self.processor.client.close()
        for tracking in self._repositories():
            tracking.close()
        if self._row is not None:
            process_end(self._row.pk)

    def _gauges(self, now: datetime) -> Gauges:
        return {("dag_processing.file_path_queue_size", ()): float(len(self.processor.queue))}

    def _repositories(self) -> list[GitTracking]:
        return [item.tracking for item in self.processor.bundles.values() if item.tracking is not None]

    def _beat(self) -> None:
        """Health means progress: the row says when the loop last went round, so a stuck loop shows."""
        assert self._row is not None  # noqa: S101
        refresh_connection()
        progress, self._rounds_seen = self.service.rounds != self._rounds_seen, self.service.rounds
        if not process_beat(self._row.pk, progress=progress):
            raise HeartbeatLostError("the row of this process is gone or ended")

    def _is_woken(self) -> bool:
        return self.service.wakeup.woken

    def _stop(self) -> None:
        self.service.stop()


class _FollowZygote:
    """Runs last in each round: the zygote may have been started, replaced or ended."""

    name = "follow zygote"

    def __init__(self, owner: DagProcessorService) -> None:
        self._owner = owner

    def run_once(self, limit: int) -> Result:
        self._owner.follow_zygote()
        return Result()


def run_passes(processor: Processor, passes: int, on_parsed: Callable[[int], None] = lambda number: None) -> None:
    """Look and parse until nothing is left, ``passes`` times; for ``--num-runs``, ``dags reserialize`` and tests.

    ``on_parsed`` is told how many files were stored now.
    """
    for _ in range(passes):
        processor.look(wait=True)
        processor.submit()
        while processor.is_busy:
            before = processor.parsed_files
            taken = processor.take()
            on_parsed(processor.parsed_files - before)
            if not taken and processor.client.fileno is not None:
                readable(1.0, [processor.client.fileno])
            processor.submit()
