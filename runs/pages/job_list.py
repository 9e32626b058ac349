"""Decides what the list of the running parts of the platform shows; what lives comes first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Case, IntegerField, QuerySet, Value, When

from orchestrator.kernel.clock import utcnow
from orchestrator.processes.models import Process
from orchestrator.rest.jobs import LIST, ORDER, alive, job_state
from orchestrator.rest.ordering import Ordering
from orchestrator.ui.lists import Column, Filter, ListSpec

_STATES = (("running", "alive"), ("failed", "lost"), ("success", "ended"))
_KINDS = ("api_server", "dag_processor", "scheduler", "supervisor", "triggerer", "worker")


def jobs_shown() -> QuerySet[Process]:
    """Return the parts of the platform with ``rank``: 0 for those that live."""
    rank = Case(When(alive(utcnow()), then=Value(0)), default=Value(1), output_field=IntegerField())
    return Process.objects.annotate(rank=rank)


def attach(rows: Sequence[Any]) -> None:
    """Say what each is; no query."""
    words = dict(_STATES)
    for row in rows:
        row.word = words[job_state(row)]
        row.executor = "LocalExecutor" if row.kind == "supervisor" else str(row.detail.get("executor", ""))


JOBS = ListSpec(
    name="jobs",
    params=LIST,
    order=Ordering({**ORDER.names, "alive": "rank"}, ("alive",)),
    columns=(
        Column("state", "State", "alive", text=lambda row: row.word),
        Column("kind", "What", "job_type"),
        Column("hostname", "Host", "hostname"),
        Column("pid", "Process", number=True),
        Column("heartbeat_at", "Heartbeat", "latest_heartbeat"),
        Column("progress_at", "Last round"),
        Column("started_at", "Started", "start_date"),
        Column("ended_at", "Ended", "end_date"),
        Column("executor", "Executor"),
        Column("version", "Version"),
    ),
    filters=(
        Filter("job_state", "State", "choice", _STATES),
        Filter("job_type", "What", "choice", tuple((word, word.replace("_", " ")) for word in _KINDS)),
        Filter("hostname", "Host", hint="exactly"),
        Filter("start_date", "Started", "dates"),
        Filter("end_date", "Ended", "dates"),
    ),
    default_order=("alive", "-latest_heartbeat"),
    noun="part of the platform",
)
