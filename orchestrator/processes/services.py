"""Decides how a part of the platform makes itself known, stays known and leaves."""

from __future__ import annotations

import os
import socket
from typing import Any
from uuid import UUID

from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.processes.models import Process
from orchestrator.processes.pids import pid_started
from orchestrator.version import VERSION


def process_register(kind: str, *, pid: int | None = None, detail: dict[str, Any] | None = None) -> Process:
    """Write the row of a part that starts; ``pid`` is another's when a parent registers its child."""
    now = utcnow()
    pid = pid or os.getpid()
    return Process.objects.create(
        kind=kind,
        hostname=socket.gethostname(),
        pid=pid,
        pid_started=pid_started(pid) or "",
        version=VERSION,
        config_fingerprint=conf.fingerprint(),
        started_at=now,
        heartbeat_at=now,
        detail=detail or {},
    )


def process_beat(process_id: UUID, *, progress: bool = False) -> bool:
    """Renew the heartbeat. False: the row is gone or ended, so another may have taken over; the part must stop."""
    now = utcnow()
    values = {"heartbeat_at": now} | ({"progress_at": now} if progress else {})
    return bool(Process.objects.filter(pk=process_id, ended_at=None).update(**values))


def process_end(process_id: UUID) -> None:
    """Write that a part has left in good order."""
    Process.objects.filter(pk=process_id, ended_at=None).update(ended_at=utcnow())
