"""Decides which warnings stand on a DAG that works all the same: pools that do not exist, values that move at each parse."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.apps import apps

from dags_app.models import DagWarning
from orchestrator.sdk.serialization.spec import DagSpec

Kind = DagWarning.Kind


def warnings_write(spec: DagSpec, moved_field: str | None, now: datetime) -> None:
    """Write what a parse found and take back what it did not; idempotent."""
    found = {Kind.NON_EXISTENT_POOL: _pools(spec), Kind.RUNTIME_VARYING_VALUE: _moved(spec, moved_field)}
    rows = {row.warning_type: row for row in DagWarning.objects.filter(dag_id=spec.dag_id, warning_type__in=list(found))}
    for kind, text in found.items():
        row = rows.get(kind)
        if text and (row is None or row.message != text):
            DagWarning.objects.update_or_create(
                dag_id=spec.dag_id, warning_type=kind, defaults={"message": text, "timestamp": now}
            )
        elif not text and row is not None:
            row.delete()


def warnings_recheck_pools() -> int:
    """Take back warnings of pools that exist by now; one query where there are none. Returns how many went."""
    from dags_app.selectors import SpecUnreadableError, spec_of

    gone = 0
    for row in DagWarning.objects.filter(warning_type=Kind.NON_EXISTENT_POOL).select_related("dag"):
        try:
            text = _pools(spec_of(row.dag.latest_version_id)) if row.dag.latest_version_id else ""
        except SpecUnreadableError:
            continue
        if not text:
            row.delete()
            gone += 1
    return gone


def _pools(spec: DagSpec) -> str:
    missing = _missing({task.pool for task in spec.tasks})
    return f"Dag '{spec.dag_id}' references non-existent pools: {missing!r}" if missing else ""


def _missing(pools: Iterable[str]) -> list[str]:
    # Pools belong to the app of runs, which this one never imports; the registry knows their table.
    known = apps.get_model("runs", "Pool")._default_manager.filter(pool__in=list(pools)).values_list("pool", flat=True)
    return sorted(set(pools) - set(known))


def _moved(spec: DagSpec, field: str | None) -> str:
    if field is None:
        return ""
    return f"Dag '{spec.dag_id}' differs at each parse although its file is the same: `{field}` moves. Compute it in a task."
