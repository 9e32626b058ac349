"""Decides what a scheduler process consists of: its duties in order, its executors, its heartbeat."""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import DatabaseError

from orchestrator.config import conf
from orchestrator.database import refresh_connection, wakeup_for
from orchestrator.kernel.heartbeat import Heartbeat, HeartbeatLostError
from orchestrator.kernel.service import Duty, Service
from orchestrator.metrics.duty import Source, metrics_duty
from orchestrator.processes.services import process_beat, process_end, process_register
from runs.changes import SCHEDULER_TOPIC
from runs.connection_tests.duty import RunConnectionTests
from runs.executors.base import Executors
from runs.executors.loader import load_executors
from runs.listeners.deliver import TellListeners
from runs.models import DagRun
from runs.scheduler.advance_runs import AdvanceRuns
from runs.scheduler.carry_out_bulk_actions import CarryOutBulkActions
from runs.scheduler.claim_runs import ClaimRuns
from runs.scheduler.close_orphans import CloseOrphans
from runs.scheduler.create_asset_runs import CreateAssetRuns
from runs.scheduler.create_runs import CreateRuns
from runs.scheduler.deliver_callbacks import DeliverCallbacks
from runs.scheduler.expire_deadlines import ExpireDeadlines
from runs.scheduler.expire_deferrals import ExpireDeferrals
from runs.scheduler.expire_inputs import ExpireInputs
from runs.scheduler.expire_queued import ExpireQueued
from runs.scheduler.expire_runs import ExpireRuns
from runs.scheduler.expire_values import ExpireValues
from runs.scheduler.follow_holds import FollowHolds
from runs.scheduler.follow_versions import FollowVersions
from runs.scheduler.holdings import Holdings
from runs.scheduler.look_back import LookBack
from runs.scheduler.map_partitions import MapPartitions
from runs.scheduler.name_run_waits import NameRunWaits
from runs.scheduler.prune_history import PruneHistory
from runs.scheduler.queue_tasks import QueueTasks
from runs.scheduler.reap_lost import HearExecutors, ReapLost
from runs.scheduler.reconcile import Reconcile
from runs.scheduler.rotate_keys import RotateKeys
from runs.scheduler.standby import wait_for_turn
from runs.scheduler.start_backfills import StartBackfills
from runs.scheduler.start_runs import StartRuns
from runs.scheduler.take_events import TakeEvents
from runs.scheduler.unknown_pools import NameUnknownPools
from runs.scheduler.wake_waiting import WakeWaiting
from runs.states import DagRunState

log = logging.getLogger(__name__)


# A busy scheduler decides what came together in this time in one round (benchmarks/README.md); an idle one at once.
GATHER_SECONDS = 0.010


class SchedulerService:
    """One scheduler process. No leader: what it decides it owns by rows, and every write is guarded (ADR 0002).

    It ends after ``num_rounds`` rounds where that is positive; with ``only_idle`` only those count that found nothing to do.
    """

    def __init__(self, num_rounds: int = -1, *, only_idle: bool = False) -> None:
        self.num_rounds = num_rounds
        self.only_idle = only_idle
        self.executors = load_executors()
        self.process_id: UUID | None = None

    def run(self) -> None:
        """Run until stopped by a signal. On SQLite wait first until no other scheduler lives (C33-c)."""
        if not wait_for_turn():
            return
        process = process_register("scheduler")
        self.process_id = process.pk
        self.holdings = Holdings(process.pk)
        for executor in self.executors:
            executor.scheduler_id = process.pk
            executor.start()
        heartbeat = self._heartbeat(process.pk)
        service = Service(
            name="scheduler",
            duties=[*scheduler_duties(self.holdings, self.executors), *self._metrics(process.pk)],
            wakeup=wakeup_for(SCHEDULER_TOPIC),
            gather_seconds=GATHER_SECONDS,
            loop_metric="scheduler.scheduler_loop_duration",
            poll_seconds=float(conf.get("scheduler", "scheduler_idle_sleep_time")),
            on_wake=self._wake,
            on_drain=self._drain,
            is_drained=lambda: all(executor.is_drained() for executor in self.executors),
            is_trusted=heartbeat.is_trusted,
            drain_timeout_seconds=float(conf.get("scheduler", "drain_timeout_seconds")) + 5.0,
        )
        self.service = service
        heartbeat.start()
        try:
            service.run()
        finally:
            heartbeat.stop()
            self._leave(process.pk)

    def _metrics(self, process_id: UUID) -> list[Duty]:
        def measures() -> Source:
            from runs.scheduler.report_metrics import SchedulerMeasures  # memory that nobody pays who wants no metrics

            return SchedulerMeasures(process_id).source()

        return metrics_duty(lambda: process_id, measures, is_asked=bool(conf.get("traces", "otel_on")))

    def _heartbeat(self, process_id: UUID) -> Heartbeat:
        interval = float(conf.get("scheduler", "scheduler_heartbeat_sec"))
        trust = float(conf.get("scheduler", "scheduler_health_check_threshold"))

        seen = 0

        def beat() -> None:
            nonlocal seen
            refresh_connection()  # this thread's own: a connection that broke would fail for ever
            rounds = self.service.rounds
            moved, seen = rounds != seen, rounds
            if not process_beat(process_id, progress=moved):
                raise HeartbeatLostError("the row of this scheduler is gone or ended: another one has taken over")

        self.heartbeat = Heartbeat(beat, interval, max(trust, interval * 1.5), lambda: self.service.stop(), "scheduler")
        return self.heartbeat

    def _wake(self) -> None:
        done = self.service.idle_rounds if self.only_idle else self.service.rounds - 1
        if 0 < self.num_rounds <= done:
            self.service.stop()
        refresh_connection()
        # The supervisor's socket may have changed: the loop listens on the one of now.
        self.service.extra_fds = {fd: read for executor in self.executors for fd, read in executor.descriptors().items()}

    def _drain(self) -> None:
        if not self.heartbeat.is_trusted():
            return  # not told to stop, only out of touch with the database: what runs goes on under its supervisor (C03-a)
        for executor in self.executors:
            executor.drain(float(conf.get("scheduler", "drain_timeout_seconds")))

    def _leave(self, process_id: UUID) -> None:
        for executor in self.executors:
            executor.stop()
        try:
            refresh_connection()
            DagRun.objects.filter(scheduler_id=process_id, state=DagRunState.RUNNING).update(scheduler_id=None)
            process_end(process_id)
        except DatabaseError as error:
            log.warning("cannot give the runs back (%s): another scheduler takes them when it sees that this one is gone", error)


def scheduler_duties(holdings: Holdings, executors: Executors) -> list[Duty]:
    """Return the duties of a scheduler in the order of one round: news first, then decisions, then slots, then watch."""
    return [
        HearExecutors(executors),
        TakeEvents(holdings, executors),
        ClaimRuns(holdings),
        WakeWaiting(holdings),
        CreateRuns(holdings),
        MapPartitions(),
        CreateAssetRuns(holdings),
        StartRuns(holdings),
        StartBackfills(holdings),
        FollowHolds(holdings),
        LookBack(holdings),
        AdvanceRuns(holdings),
        QueueTasks(holdings, executors),
        FollowVersions(holdings),
        ExpireRuns(holdings),
        ExpireQueued(),
        ExpireDeferrals(),
        ExpireInputs(),
        ExpireDeadlines(),
        DeliverCallbacks(executors),
        ReapLost(executors),
        CloseOrphans(),
        ExpireValues(),
        RunConnectionTests(),
        CarryOutBulkActions(),
        PruneHistory(),
        RotateKeys(),
        NameUnknownPools(holdings),
        NameRunWaits(),
        TellListeners(),
        Reconcile(holdings),
    ]
