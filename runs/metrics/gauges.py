"""Decides the gauges: how many tasks wait and run, how full pools and executors are; a few queries, whatever the size."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Sum

from dags_app.models import Asset, Dag, ParsedFile, ParseImportError
from orchestrator.config import conf
from orchestrator.kernel.telemetry import Series
from orchestrator.processes.models import Process
from runs.executors.loader import executor_classes
from runs.metrics.parts import file_name
from runs.models import BulkAction, Callback, DagRun, Pool, TaskInstance, Trigger

Gauges = dict[Series, float]
Rows = Sequence[dict[str, Any]]
STATES = ("scheduled", "queued", "running", "deferred")


def gauges(now: datetime) -> Gauges:
    """Return all gauges as they are now."""
    return {**_tasks(), **_parsing(now), **_triggers(), **_rest()}


def _tag(name: str, **tags: str) -> Series:
    return name, tuple(sorted(tags.items()))


def _tasks() -> Gauges:
    """One query over the partial indexes of unfinished attempts gives tasks, pools and executors."""
    groups = ("state", "pool", "queue", "dag_id", "task_id", "executor")
    unfinished = TaskInstance.objects.filter(state__in=STATES).order_by()
    rows = list(unfinished.values(*groups).annotate(n=Count("pk"), used=Sum("pool_slots")))
    found: Gauges = {}
    for row in rows:
        series = _tag(f"ti.{row['state']}", queue=row["queue"], dag_id=row["dag_id"], task_id=row["task_id"])
        found[series] = found.get(series, 0.0) + row["n"]
    return {**found, **_pools(rows), **_executors(rows)}


def _pools(rows: Rows) -> Gauges:
    """Slots by state, and the tasks that are ready but do not fit into what is open of their pool."""
    used: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        used[row["pool"]][row["state"]] += row["used"]
    found: Gauges = {}
    starving: Counter[str] = Counter()
    waiting = [row for row in rows if row["state"] == "scheduled"]
    for pool in Pool.objects.all():
        slots = used[pool.pool]
        taken = slots["queued"] + slots["running"] + (slots["deferred"] if pool.include_deferred else 0)
        is_open = -1 if pool.slots < 0 else pool.slots - taken
        found |= {_tag(f"pool.{state}_slots", pool_name=pool.pool): float(slots[state]) for state in STATES}
        found[_tag("pool.open_slots", pool_name=pool.pool)] = float(is_open)
        if pool.slots >= 0:
            mine = (row for row in waiting if row["pool"] == pool.pool)
            starving[pool.pool] = sum(row["n"] for row in mine if row["used"] > is_open * row["n"])
        found[_tag("pool.starving_tasks", pool_name=pool.pool)] = float(starving[pool.pool])
    found[_tag("scheduler.tasks.starving")] = float(starving.total())
    found[_tag("scheduler.tasks.executable")] = float(sum(row["n"] for row in waiting) - starving.total())
    return found


def _executors(rows: Rows) -> Gauges:
    """What each executor has; ``[core] parallelism`` is shared by all executors of a scheduler."""
    classes = executor_classes()
    default = next(iter(classes.values()))
    counts: dict[str, Counter[str]] = {name: Counter() for name in classes.values()}
    for row in rows:
        counts[classes.get(row["executor"] or "", default)][row["state"]] += row["n"]
    busy = sum(state["queued"] + state["running"] for state in counts.values())
    found: Gauges = {}
    for name, state in counts.items():
        for metric, status, value in (
            ("executor.open_slots", "open", max(0, int(conf.get("core", "parallelism")) - busy)),
            ("executor.queued_tasks", "queued", state["queued"]),
            ("executor.running_tasks", "running", state["running"]),
        ):
            found[_tag(metric, executor_class_name=name, status=status)] = float(value)
    return found


def _parsing(now: datetime) -> Gauges:
    total, found = 0.0, {_tag("dag_processing.import_errors"): float(ParseImportError.objects.count())}
    files = ParsedFile.objects.filter(bundle__is_active=True, missing_since=None)
    for bundle, path, seconds, when in files.values_list(
        "bundle_id", "relative_fileloc", "last_duration_seconds", "last_parsed_at"
    ):
        total += seconds or 0.0
        if when is not None:
            tags = {"bundle_name": bundle, "file_name": file_name(path), "file_path": path}
            found[_tag("dag_processing.last_run.seconds_ago", **tags)] = (now - when).total_seconds()
    found[_tag("dag_processing.total_parse_time")] = total
    found[_tag("dagbag_size")] = float(Dag.objects.active().count())
    found[_tag("asset.orphaned")] = float(Asset.objects.filter(is_active=False).count())
    return found


def _triggers() -> Gauges:
    running = dict(Trigger.objects.order_by().values_list("triggerer_id").annotate(n=Count("pk")))
    capacity, found = int(conf.get("triggerer", "capacity")), {}
    for pk, hostname in Process.objects.filter(kind="triggerer", ended_at=None).values_list("pk", "hostname"):
        found[_tag("triggers.running", hostname=hostname)] = float(running.get(pk, 0))
        found[_tag("triggerer.capacity_left", hostname=hostname)] = float(capacity - running.get(pk, 0))
    return found


def _rest() -> Gauges:
    callbacks = Callback.objects.filter(state__in=[Callback.State.PENDING, Callback.State.RUNNING])
    orders = BulkAction.objects.filter(state__in=[BulkAction.State.QUEUED, BulkAction.State.RUNNING])
    bulk = orders.aggregate(n=Count("pk"), left=Sum(F("total") - F("done"), default=0))
    return {
        _tag("bulk_actions.open"): float(bulk["n"]),
        _tag("bulk_actions.items_left"): float(bulk["left"]),
        _tag("scheduler.dagruns.running"): float(DagRun.objects.running().count()),
        _tag("callbacks.open"): float(callbacks.count()),
    }
