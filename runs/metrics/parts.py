"""Decides what is counted beside runs and tasks: processes, parsed files, assets, deliveries, deadlines, tests of connections.

All of it is read from rows that are written anyway.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from dags_app.models import ParsedFile
from orchestrator.kernel.heartbeat import job_name
from orchestrator.kernel.telemetry import Series, count, timing
from orchestrator.processes.models import Process
from runs.callbacks.kinds import Kind
from runs.metrics.endings import Endings
from runs.models import AssetEvent, Callback, Deadline
from vault.connection_tests import is_enabled
from vault.models import ConnectionTest
from vault.models.connection_test import ACTIVE

PAGE = 2000
_BEATS = {"scheduler": "scheduler_heartbeat", "dag_processor": "dag_processor_heartbeat", "triggerer": "triggerer_heartbeat"}
_STATE = Callback.State


class PartsFollower:
    """Counts what happened after ``since``."""

    def __init__(self, since: datetime) -> None:
        self._since = since
        self._asset_event = AssetEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        self._beats: dict[UUID, datetime] = {}
        self._callbacks = Endings(Callback, (_STATE.PENDING, _STATE.RUNNING), "kind", "dag_id")
        self._deadlines = Endings(Deadline, (Deadline.State.PENDING,), "dag_id", "dag_run__run_id")
        self._tests = Endings(ConnectionTest, ACTIVE) if is_enabled() else None
        self._test_gauges: dict[Series, float] = {}

    def follow(self, until: datetime) -> None:
        """Count what happened up to a moment that lies a little back: what is written then is visible now."""
        self._count_processes(until)
        self._count_files(until)
        self._count_assets(until)
        self._count_callbacks()
        self._count_deadlines()
        if self._tests is not None:
            self._count_tests(self._tests)
        self._since = until

    def gauges(self) -> dict[Series, float]:
        """Return how many tests of connections wait and run, where they are allowed."""
        return self._test_gauges

    def _count_processes(self, until: datetime) -> None:
        living = Process.objects.filter(kind__in=_BEATS, ended_at=None)
        for pk, kind, beat, started in living.values_list("pk", "kind", "heartbeat_at", "started_at"):
            if self._beats.get(pk) not in (None, beat):
                count(_BEATS[kind])
            self._beats[pk] = beat
            if self._since < started <= until:
                count("job_start", job_name=job_name(kind))
        over = Process.objects.filter(kind__in=_BEATS, ended_at__gt=self._since, ended_at__lte=until)
        for pk, kind in over.values_list("pk", "kind"):
            self._beats.pop(pk, None)
            count("job_end", job_name=job_name(kind))

    def _count_files(self, until: datetime) -> None:
        lately = ParsedFile.objects.filter(last_parsed_at__gt=self._since, last_parsed_at__lte=until)
        for bundle, path, seconds in lately.values_list("bundle_id", "relative_fileloc", "last_duration_seconds"):
            timing("dag_processing.last_duration", seconds or 0.0, bundle_name=bundle, file_name=file_name(path))

    def _count_assets(self, until: datetime) -> None:
        made = AssetEvent.objects.filter(pk__gt=self._asset_event, timestamp__lte=until).order_by("pk")
        pks = list(made.values_list("pk", flat=True)[:PAGE])
        if pks:
            self._asset_event = pks[-1]
            count("asset.updates", len(pks))

    def _count_callbacks(self) -> None:
        for row in self._callbacks.look().ended:
            if row["state"] == _STATE.MUTED:
                continue
            delivered = row["state"] == _STATE.DELIVERED
            count("callbacks.delivered" if delivered else "callbacks.failed")
            if row["kind"] in (Kind.DEADLINE, Kind.DEADLINE_ASYNC):
                count(
                    "deadline_alerts.callback_success" if delivered else "deadline_alerts.callback_failed", dag_id=row["dag_id"]
                )
            elif row["kind"] == Kind.DAG and not delivered:
                count("dag.callback_exceptions", dag_id=row["dag_id"])

    def _count_deadlines(self) -> None:
        news = self._deadlines.look()
        for row in news.came:
            count("deadline_alerts.deadline_created", dag_id=row["dag_id"])
        for row in news.ended:
            _count_deadline(row)

    def _count_tests(self, tests: Endings) -> None:
        news = tests.look()
        for row in news.ended:
            count("connection_test.success" if row["state"] == "success" else "connection_test.failed")
        waiting = sum(row["state"] == "pending" for row in news.open)
        self._test_gauges = {
            ("connection_test.pending", ()): float(waiting),
            ("connection_test.active", ()): float(len(news.open) - waiting),
        }


def _count_deadline(row: dict[str, Any]) -> None:
    name = {"missed": "deadline_alerts.deadline_missed", "met": "deadline_alerts.deadline_not_missed"}.get(row["state"])
    if name is not None:
        count(name, dag_id=row["dag_id"], dagrun_id=row["dag_run__run_id"])


def file_name(path: str) -> str:
    """Return what Airflow calls the name of a DAG file in metrics: without folder and ending."""
    return path.rpartition("/")[2].rpartition(".")[0] or path.rpartition("/")[2]
