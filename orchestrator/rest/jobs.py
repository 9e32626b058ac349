"""Decides the REST operation that lists the running parts of the platform, which Airflow calls jobs."""

from datetime import timedelta
from typing import Any

from django.db.models import Case, CharField, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from accounts.roles import Role
from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.processes.models import Process
from orchestrator.rest import scalars
from orchestrator.rest.lists import list_body
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.ordering import ordering
from orchestrator.rest.params import Param, between, equal, order_param, page_params, params
from orchestrator.rest.schemas import Schema

operations = Operations("Job")

# Airflow's names of the parts that it has too.
_TYPES = {"scheduler": "SchedulerJob", "dag_processor": "DagProcessorJob", "triggerer": "TriggererJob"}
_KINDS = {name: kind for kind, name in _TYPES.items()}
# What a client in JavaScript keeps of a whole number.
_EXACT_BITS = 53


def job_id(process: Process) -> int:
    """Return a number for a process, in the order of starts: the time and the first random bits of its uuid7."""
    first = process.pk.int >> 64
    return ((first >> 16 << 12) | (first & 0xFFF)) & ((1 << _EXACT_BITS) - 1)


def alive(now: Any) -> Q:
    """Return the condition for parts that live."""
    limit = now - timedelta(seconds=float(conf.get("scheduler", "scheduler_health_check_threshold")))
    return Q(ended_at=None, heartbeat_at__gte=limit)


def _by_life(rows: QuerySet[Process], wanted: bool) -> QuerySet[Process]:
    living = alive(utcnow())
    return rows.filter(living) if wanted else rows.exclude(living)


def _by_state(rows: QuerySet[Process], state: str) -> QuerySet[Process]:
    if not state:
        return rows
    living = alive(utcnow())
    states = {"running": living, "success": Q(ended_at__isnull=False), "failed": Q(ended_at=None) & ~living}
    return rows.filter(states[state]) if state in states else rows.none()


def _by_executor(rows: QuerySet[Process], wanted: str) -> QuerySet[Process]:
    if not wanted:
        return rows
    return rows.filter(kind="supervisor") if wanted == "LocalExecutor" else rows.none()


def _by_type(rows: QuerySet[Process], wanted: str) -> QuerySet[Process]:
    return rows.filter(kind=_KINDS.get(wanted, wanted)) if wanted else rows


LIST = params(
    Param("is_alive", scalars.switch, apply=_by_life),
    between("start_date", "started_at"),
    between("end_date", "ended_at"),
    page_params(),
    order_param(),
    Param("job_state", apply=_by_state),
    Param("job_type", apply=_by_type),
    equal("hostname", "hostname"),
    Param("executor_class", apply=_by_executor),
)
# No part belongs to a DAG, so by ``dag_id`` they stand in the order of their ids.
ORDER = ordering("id", default=["id"], job_type="kind", start_date="started_at", end_date="ended_at", hostname="hostname",
                 latest_heartbeat="heartbeat_at", dag_id="id", state="shown_state", executor_class="shown_executor",
                 unixname="detail__unixname")  # fmt: skip


def job_state(process: Process) -> str:
    """Return Airflow's word for whether a part lives (running), was lost (failed) or ended (success)."""
    if process.ended_at is not None:
        return "success"
    threshold = float(conf.get("scheduler", "scheduler_health_check_threshold"))
    return "running" if (utcnow() - process.heartbeat_at).total_seconds() <= threshold else "failed"


JOB = Schema(
    "JobResponse",
    "hostname",
    id=job_id,
    dag_id=lambda row: None,
    dag_display_name=lambda row: None,
    state=job_state,
    job_type=lambda row: _TYPES.get(row.kind, row.kind),
    start_date="started_at",
    end_date="ended_at",
    latest_heartbeat="heartbeat_at",
    executor_class=lambda row: "LocalExecutor" if row.kind == "supervisor" else None,
    unixname=lambda row: row.detail.get("unixname", ""),
)


def _rows() -> QuerySet[Process]:
    """All parts, with the words that are no columns but that a client may order by."""
    state = Case(When(ended_at__isnull=False, then=Value("success")), When(alive(utcnow()), then=Value("running")))
    executor = Case(When(kind="supervisor", then=Value("LocalExecutor")), output_field=CharField(null=True))
    return Process.objects.annotate(shown_state=Coalesce(state, Value("failed")), shown_executor=executor)


@operations.add("GET", "/jobs", "get_jobs", role=Role.VIEWER, params=LIST)
def get_jobs(call: Call) -> dict[str, Any]:
    """Return the parts of the platform, ended ones too."""
    return list_body(_rows(), call.query, params=LIST, order=ORDER, schema=JOB, key="jobs")
