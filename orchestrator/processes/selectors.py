"""Decides which parts of the platform count as alive."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import Q, QuerySet, Subquery

from orchestrator.config import conf
from orchestrator.processes.models import Process
from orchestrator.processes.pids import is_alive


def processes_latest(kinds: Iterable[str]) -> dict[str, Process]:
    """Return for each kind the part with the newest heartbeat, ended or not; one query, and none where no kind is asked for."""
    newest = [Process.objects.filter(kind=kind).order_by("-heartbeat_at").values("pk")[:1] for kind in kinds]
    if not newest:
        return {}
    wanted = reduce(or_, (Q(pk=Subquery(keys)) for keys in newest))
    return {process.kind: process for process in Process.objects.filter(wanted)}


def processes_alive(kind: str, now: datetime) -> QuerySet[Process]:
    """Return the parts of a kind that have not ended and whose heartbeat is within the health threshold."""
    limit = now - timedelta(seconds=float(conf.get("scheduler", "scheduler_health_check_threshold")))
    return Process.objects.filter(kind=kind, ended_at=None, heartbeat_at__gte=limit)


def processes_gone(ids: Iterable[UUID]) -> set[UUID]:
    """Return those of ``ids`` that certainly no longer run: ended, unknown, or dead on this very machine.

    A process of another machine is never certainly gone; its leases decide.
    """
    wanted = set(ids)
    rows = Process.objects.filter(pk__in=wanted)
    here = socket.gethostname()
    alive = {row.pk for row in rows if row.ended_at is None and (row.hostname != here or is_alive(row.pid, row.pid_started))}
    return wanted - alive
