"""Decides how runs are named, as Airflow names them."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
from datetime import datetime

from orchestrator.config import conf
from runs.states import DagRunType

LONGEST_RUN_ID = 250
# Run ids that other kinds of runs get; their words are Airflow's.
_GENERATED = r"^(?:manual|scheduled|asset_triggered)__(?:\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\+00:00)$"


def run_id_of(run_type: str, *, run_after: datetime, unique: bool = False) -> str:
    """Return ``<run type>__<ISO run_after>``; ``unique`` adds eight random characters where nothing else tells runs apart."""
    return f"{run_type}__{run_after.isoformat()}" + (f"_{_random_suffix()}" if unique else "")


def run_id_problem(run_id: str) -> str | None:
    """Return what is wrong with a run id that a person chose, None for nothing."""
    for kind in (DagRunType.SCHEDULED, DagRunType.ASSET_TRIGGERED, DagRunType.BACKFILL):
        if run_id.startswith(f"{kind}__"):
            return f"A manual DAG run cannot use ID '{run_id}' since it is reserved for {kind} runs"
    allowed = conf.get("scheduler", "allowed_run_id_pattern")
    if not re.match(allowed, run_id) and not re.match(_GENERATED, run_id):
        return f"The run_id provided '{run_id}' does not match regex pattern '{allowed}' or '{_GENERATED}'"
    return None


def scheduled_run_id(dag_id: str, *, run_after: datetime, partition_key: str | None) -> str:
    """Return the id of a scheduled run; that of a partition names its key, and is the same whoever makes it."""
    if partition_key is None:
        return run_id_of("scheduled", run_after=run_after)
    mark = hashlib.sha256(f"{dag_id} {run_after.isoformat()}".encode()).hexdigest()[:8]
    return _within_column(f"scheduled__{run_after.isoformat()}__{_in_id(partition_key)}", f"__{mark}")


def backfill_run_id(*, run_after: datetime, partition_key: str | None) -> str:
    """Return the id of a backfill's run; that of a partition names its key and is new each time, as in Airflow.

    Airflow's database refuses the id of a long key; here the end of the key is left out.
    """
    if partition_key is None:
        return run_id_of("backfill", run_after=run_after)
    return _within_column(f"backfill__{run_after.isoformat()}__{_in_id(partition_key)}", f"__{_random_suffix()}")


def _within_column(named: str, mark: str) -> str:
    return named[: LONGEST_RUN_ID - len(mark)] + mark


def _in_id(partition_key: str) -> str:
    """Return the key without slashes, which an address could not carry; what follows it keeps the id unique."""
    return partition_key.replace("/", "-")


def _random_suffix() -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(8))
