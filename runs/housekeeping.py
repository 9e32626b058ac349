"""Decides which periodic jobs the platform has, what is written down about each, and how somebody has one done now.

The scheduler does them all; an order is a mark on the job's row, which one scheduler takes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from accounts.services import audit_write
from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.processes.models import Housekeeping

LOOK_SECONDS = 20.0  # how late an order is seen
_LONGEST_RESULT = 2000


@dataclass(frozen=True, slots=True)
class Job:
    """What people are told about a job; ``refusal`` says why it cannot be ordered now, "" where it can."""

    title: str
    purpose: str
    schedule: Callable[[], str]
    refusal: Callable[[], str]


class OrderRefusedError(Exception):
    """A job cannot be done now, or there is none of that name."""


def _retention_schedule() -> str:
    return f"every {conf.get('retention', 'interval_seconds'):g} s" if conf.get("retention", "enabled") else "off"


PRUNE_HISTORY, ROTATE_KEYS = "prune_history", "rotate_keys"
JOBS = {
    PRUNE_HISTORY: Job(
        "Delete old history",
        "Runs, events, audit rows, sessions, process rows and log files that are older than [retention] says.",
        _retention_schedule,
        lambda: "" if conf.get("retention", "enabled") else "[retention] enabled is off.",
    ),
    ROTATE_KEYS: Job(
        "Encrypt with the newest key",
        "Passwords, extras, variables and arguments of triggers that another key than the first of [core] fernet_key wrote.",
        lambda: "when it is ordered",
        lambda: "" if conf.get("core", "fernet_key") else "[core] fernet_key is empty.",
    ),
}


def order(name: str, *, actor: str) -> None:
    """Have a job done within half a minute, inside the caller's transaction; raises ``OrderRefusedError``."""
    if name not in JOBS:
        raise OrderRefusedError(f"There is no job {name!r}; there are {', '.join(JOBS)}.")
    if reason := JOBS[name].refusal():
        raise OrderRefusedError(f"{JOBS[name].title}: {reason}")
    Housekeeping.objects.update_or_create(name=name, defaults={"ordered_at": utcnow(), "ordered_by": actor})
    audit_write("order_housekeeping", actor=actor, extra={"name": name})


def order_taken(name: str) -> bool:
    """Take an order, if there is one; of many schedulers one gets it."""
    ordered = Housekeeping.objects.filter(name=name).exclude(ordered_at=None)
    return bool(ordered.update(ordered_at=None))


def begun(name: str) -> None:
    """Write down that a job begins."""
    facts = {"begun_at": utcnow(), "ended_at": None, "has_failed": False, "result": ""}
    Housekeeping.objects.update_or_create(name=name, defaults=facts)


def ended(name: str, result: str, *, has_failed: bool = False) -> None:
    """Write down how a job ended, in one sentence."""
    facts = {"ended_at": utcnow(), "has_failed": has_failed, "result": result[:_LONGEST_RESULT]}
    Housekeeping.objects.filter(name=name).update(**facts)


def ensure_rows() -> None:
    """Have a row for each job, so that a list shows those that were never done."""
    there = set(Housekeeping.objects.values_list("name", flat=True))
    Housekeeping.objects.bulk_create([Housekeeping(name=name) for name in JOBS if name not in there], ignore_conflicts=True)
