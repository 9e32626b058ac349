"""Decides what an explanation consists of, and what its blockers are called and linked to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from orchestrator.kernel.clock import isoformat_z
from runs.explain.reasons import Reason
from runs.models import DagRun, TaskInstance

MOST_BLOCKERS = 10
_API = "/api/v2"


@dataclass(frozen=True, slots=True)
class Blocker:
    """What stands in the way: its kind, its id, its name for people, its state and its path in the REST API."""

    kind: str
    id: str
    name: str
    state: str | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why something waits; ``since`` and ``eta`` are instants, None where nobody knows."""

    reason: Reason
    sentence: str
    blockers: tuple[Blocker, ...] = ()
    since: datetime | None = None
    eta: datetime | None = None

    def document(self) -> dict[str, Any]:
        """Return the JSON form."""
        blockers = [{"kind": b.kind, "id": b.id, "name": b.name, "state": b.state, "link": b.link} for b in self.blockers]
        times = {"since": said(self.since) or None, "eta": said(self.eta) or None}
        return {"reason": str(self.reason), "sentence": self.sentence, "blockers": blockers, **times}


def said(moment: datetime | None) -> str:
    """Return an instant as sentences name it, empty for none."""
    return isoformat_z(moment) if moment else ""


def label(ti: TaskInstance) -> str:
    """Return ``task`` or ``task[3]``."""
    return ti.task_id if ti.map_index < 0 else f"{ti.task_id}[{ti.map_index}]"


def listed(names: list[str], most: int = 3) -> str:
    """Return the first names with a sign that there are more."""
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def of_dag(dag_id: str, state: str | None = None) -> Blocker:
    """A DAG that stands in the way."""
    return Blocker("dag", dag_id, dag_id, state, _link("dags", dag_id))


def of_run(run: DagRun) -> Blocker:
    """A run that stands in the way."""
    return Blocker(
        "dag_run", run.run_id, f"{run.dag_id} {run.run_id}", run.state, _link("dags", run.dag_id, "dagRuns", run.run_id)
    )


def of_instance(ti: TaskInstance) -> Blocker:
    """A task instance that stands in the way."""
    index = (str(ti.map_index),) if ti.map_index >= 0 else ()
    link = _link("dags", ti.dag_id, "dagRuns", ti.run_id, "taskInstances", ti.task_id, *index)
    return Blocker("task_instance", str(ti.pk), f"{ti.dag_id}.{label(ti)} {ti.run_id}", ti.state, link)


def of_pool(name: str, state: str) -> Blocker:
    """A pool without room."""
    return Blocker("pool", name, name, state, _link("pools", name))


def of_backfill(pk: int, state: str) -> Blocker:
    """A backfill that holds its runs back."""
    return Blocker("backfill", str(pk), f"backfill {pk}", state, _link("backfills", str(pk)))


def of_asset(pk: int | None, name: str, state: str) -> Blocker:
    """An asset whose event is missing."""
    return Blocker("asset", str(pk or name), name, state, _link("assets", str(pk)) if pk else None)


def of_part(kind: str) -> Blocker:
    """A part of the platform that does not live."""
    return Blocker("process", kind, kind, "down", _link("jobs"))


def of_hold(run: DagRun, by: str) -> Blocker:
    """The hold of a person."""
    return Blocker("hold", by, f"hold by {by}", "held", _link("dags", run.dag_id, "dagRuns", run.run_id, "holds"))


def _link(*parts: str) -> str:
    return "/".join((_API, *(quote(part, safe="") for part in parts)))
