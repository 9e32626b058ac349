"""Decides whether the platform works: its processes live, files are read, tasks are handed over in time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from statistics import median

from dags_app.models import Bundle, Dag, ParseImportError
from dags_app.selectors import bundles_unreadable
from orchestrator.config import conf
from orchestrator.doctor.findings import Finding, fail, ok, warn
from orchestrator.kernel.clock import utcnow
from orchestrator.processes.models import Process
from orchestrator.processes.selectors import processes_alive
from runs.bulk.progress import line
from runs.dispatch_lag import oldest_ready_seconds, stuck_dispatch
from runs.models import BulkAction, DagRun, TaskInstance

SLOW_DISPATCH_SECONDS = 5.0
STUCK_ACTION_SECONDS = 60.0
RECENT_RUNS = 20
# kind, is it needed always, what starts it
_PARTS = (
    ("scheduler", True, "start `manage.py scheduler`"),
    ("dag_processor", True, "start `manage.py dag_processor`"),
    ("triggerer", False, "start `manage.py triggerer`; without it no deferred task goes on"),
)


def processes() -> Iterator[Finding]:
    """The parts live and their loops turn."""
    now = utcnow()
    threshold = float(conf.get("scheduler", "scheduler_health_check_threshold"))
    for kind, is_needed, todo in _PARTS:
        living = list(processes_alive(kind, now))
        if not living:
            yield (fail if is_needed else warn)("processes", f"no {kind} is alive", todo)
        for row in living:
            place = f"{kind} {row.hostname}:{row.pid}"
            if row.progress_at is not None and row.progress_at < now - timedelta(seconds=threshold):
                yield fail("processes", f"{place} beats, but has finished no round since {row.progress_at}", "restart it")
            else:
                yield ok("processes", f"{place} is alive since {row.started_at:%Y-%m-%d %H:%M:%S} UTC")
    silent = Process.objects.filter(ended_at=None, heartbeat_at__lt=now - timedelta(seconds=threshold))
    for row in silent.exclude(kind="supervisor").order_by("-heartbeat_at")[:5]:
        text = f"{row.kind} {row.hostname}:{row.pid} was not stopped and is silent since {row.heartbeat_at}"
        yield warn("processes", text, "start it again, if it should run; its row is old news otherwise")


def parser() -> Iterator[Finding]:
    """Files are read, and none of them has an error."""
    for bundle in bundles_unreadable():
        yield fail("parser", f"bundle {bundle.name} cannot be read: {bundle.unreadable_reason}", "mend what the reason names")
    late = utcnow() - timedelta(seconds=3 * float(conf.get("dag_processor", "refresh_interval")) + 60)
    for bundle in Bundle.objects.filter(is_active=True, last_scan_completed_at__lt=late):
        yield warn(
            "parser", f"bundle {bundle.name} was last read at {bundle.last_scan_completed_at}", "look at the DAG processor's log"
        )
    errors = list(ParseImportError.objects.order_by("filename").values_list("filename", "stacktrace")[:5])
    for name, trace in errors:
        last = (trace.strip().splitlines() or ["unknown"])[-1]
        yield warn("parser", f"{name} cannot be imported: {last}", "correct the file; its last good version stays in use")
    if not errors:
        yield ok("parser", f"{Dag.objects.active().count()} DAGs, no import errors")


def dispatch() -> Iterator[Finding]:
    """What may begin does so at once."""
    now = utcnow()
    stuck = stuck_dispatch(now)
    if stuck is not None:
        text = f"{stuck.dag_id}.{stuck.task_id} of {stuck.run_id} has free slots and is not handed over since {stuck.since}"
        yield fail(
            "dispatch", text, f"`manage.py explain {stuck.dag_id} {stuck.run_id} {stuck.task_id}`, then restart the scheduler"
        )
    waits = oldest_ready_seconds(now)
    oldest = f"; the oldest that waits for slots does so for {waits:.0f} s" if waits is not None else ""
    seconds = _recent_seconds()
    if seconds:
        text = f"median {median(seconds):.2f} s from scheduled to queued in the last {RECENT_RUNS} runs{oldest}"
        slow = median(seconds) > SLOW_DISPATCH_SECONDS
        yield warn("dispatch", text, "more slots, or more workers: see pools and limits") if slow else ok("dispatch", text)
    elif stuck is None:
        yield ok("dispatch", f"nothing was handed over in the last {RECENT_RUNS} runs{oldest}")
    set_aside = DagRun.objects.running().exclude(scheduling_error="").order_by("pk")
    for run in set_aside[:5]:
        yield warn(
            "dispatch", f"{run} is set aside: {run.scheduling_error}", "mend what the error names; it is tried again by itself"
        )


def bulk_actions() -> Iterator[Finding]:
    """What people ordered for many items goes on."""
    late = utcnow() - timedelta(seconds=STUCK_ACTION_SECONDS)
    opened = list(BulkAction.objects.filter(state__in=("queued", "running")).order_by("pk")[:5])
    for action in opened:
        begun = action.served_at or action.created_at
        if action.error:
            text = f"{action} is set aside: {action.error}"
            yield warn("bulk actions", text, f"mend what the error names, or `manage.py bulk cancel {action.pk}`")
        elif begun < late:
            yield warn("bulk actions", f"{action} has done nothing since {begun}", "is a scheduler alive? restart it")
        else:
            yield ok("bulk actions", f"{action}: {line(action)}")


def _recent_seconds() -> list[float]:
    recent = DagRun.objects.order_by("-run_after").values("pk")[:RECENT_RUNS]
    rows = TaskInstance.objects.filter(dag_run_id__in=recent, queued_dttm__isnull=False, scheduled_dttm__isnull=False)
    times = rows.values_list("scheduled_dttm", "queued_dttm")[:1000]
    return [max(0.0, (end - start).total_seconds()) for start, end in times if start and end]
