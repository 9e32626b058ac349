"""Decides what an executor receives for a delivery: Airflow's ``ExecuteCallback`` workload."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from dags_app.models import Dag
from orchestrator.config import conf
from runs.callbacks.kinds import ALERTS, Kind
from runs.executors.base import HandOver
from runs.models import Callback
from runs.workload_tokens import issue_callback_token

# What a mail needs of the configuration; a worker's environment does not have it, because user code runs there.
_MAIL_OPTIONS = (
    ("smtp", "smtp_host"), ("smtp", "smtp_port"), ("smtp", "smtp_starttls"), ("smtp", "smtp_ssl"), ("smtp", "smtp_user"),
    ("smtp", "smtp_password"), ("smtp", "smtp_mail_from"), ("smtp", "smtp_timeout"), ("smtp", "smtp_retry_limit"),
)  # fmt: skip
_FETCH = {Kind.TASK: "dag_attribute", Kind.DAG: "dag_attribute"}


def hand_over_of(group: Sequence[Callback]) -> HandOver:
    """Return the hand-over of one delivery, or of several alerts that go out as one message.

    Executors know a hand-over of a callback by its dispatch id, in the place of an attempt's id.
    """
    first = group[0]
    dispatch_id = first.dispatch_id
    assert dispatch_id is not None  # noqa: S101  claimed a moment ago
    data = dict(first.payload)
    if len(group) > 1:
        data["group"] = [{"ti": row.payload.get("ti")} for row in group]
    run_id = data.get("dag_run", {}).get("run_id") or "none"
    subject = first.ti_id or dispatch_id
    callback = {
        "id": str(first.pk),
        "kind": first.kind,
        "fetch_method": _FETCH.get(Kind(first.kind), "import_path"),
        "data": data,
    }
    workload = {
        "type": "ExecuteCallback",
        "token": issue_callback_token(subject, dispatch_id),
        "dispatch_id": str(dispatch_id),
        "ti_id": str(first.ti_id) if first.ti_id else None,
        "log_path": log_path(first.dag_id, run_id, first.pk),
        "timeout_seconds": float(conf.get("callbacks", "callback_execution_timeout")),
        "renew_seconds": float(conf.get("callbacks", "callback_lease_seconds")) / 3,
        "environment": _mail_environment() if first.kind in ALERTS else {},
        "callback": callback,
        **_place(first),
    }
    return HandOver(ti_id=dispatch_id, dispatch_id=dispatch_id, queue=str(data.get("queue") or "default"), workload=workload)


def log_path(dag_id: str, run_id: str, callback_id: int | UUID) -> str:
    """Return the log file of a delivery below ``[logging] base_log_folder``, named as Airflow names it."""
    return f"executor_callbacks/{dag_id}/{run_id}/{callback_id}"


def _place(row: Callback) -> dict[str, Any]:
    """Where the DAG file lies; an alert is sent all the same where the DAG is gone."""
    found = Dag.objects.filter(pk=row.dag_id).values_list("bundle_id", "bundle_version", "relative_fileloc").first()
    name, version, path = found or ("dags-folder", None, "")
    if row.dag_run is not None:
        version = row.dag_run.bundle_version
    return {"dag_rel_path": path or "", "bundle_info": {"name": name or "dags-folder", "version": version}}


def _mail_environment() -> dict[str, str]:
    values = {(section, key): conf.get(section, key) for section, key in _MAIL_OPTIONS}
    return {f"AIRFLOW__{s.upper()}__{k.upper()}": str(value) for (s, k), value in values.items() if value is not None}
