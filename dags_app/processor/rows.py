"""Decides which columns of a DAG come from its document, and writes them with tags and owner links."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dags_app.models import Bundle, Dag, DagOwnerLink, DagTag
from dags_app.processor.texts import storable, storable_or_none
from orchestrator.config import conf
from orchestrator.sdk.serialization.spec import DagSpec


def dag_write(spec: DagSpec, bundle: Bundle, now: datetime, seconds: float, bundle_version: str | None = None) -> Dag:
    """Create or update the row of a DAG; ``is_paused`` is chosen at first sight only and then belongs to people."""
    dag, created = Dag.objects.get_or_create(dag_id=spec.dag_id, defaults={"is_paused": _starts_paused(spec), "bundle": bundle})
    place = {"bundle": bundle, "bundle_version": bundle_version, "is_stale": False}
    columns = {**_columns(spec), **place, "last_parsed_time": now, "last_parse_duration": seconds}
    for name, value in columns.items():
        setattr(dag, name, value)
    dag.save(update_fields=list(columns))
    _write_tags(dag, spec, created)
    _write_owner_links(dag, spec, created)
    return dag


def _starts_paused(spec: DagSpec) -> bool:
    if spec.is_paused_upon_creation is not None:
        return bool(spec.is_paused_upon_creation)
    return bool(conf.get("core", "dags_are_paused_at_creation"))


def _columns(spec: DagSpec) -> dict[str, Any]:
    limited = any(t.max_active_tis_per_dag is not None or t.max_active_tis_per_dagrun is not None for t in spec.tasks)
    return {
        "dag_display_name": storable(spec.dag_display_name or spec.dag_id, 2000),
        "relative_fileloc": storable(spec.relative_fileloc, 2000),
        "fileloc": storable(spec.fileloc, 2000),
        "description": storable_or_none(spec.description),
        "owners": storable(", ".join(spec.owners), 2000),
        "timetable_type": storable(str(spec.timetable.get("type", "")), 255),
        "timetable_summary": storable_or_none(spec.timetable_summary),
        "timetable_description": storable_or_none(spec.timetable_description, 1000),
        "max_active_tasks": spec.max_active_tasks,
        "max_active_runs": spec.max_active_runs,
        "max_consecutive_failed_dag_runs": spec.max_consecutive_failed_dag_runs,
        "overlap_policy": spec.overlap_policy,
        "event_policy": spec.event_policy,
        "event_window": spec.event_window,
        "catchup": bool(spec.catchup),
        "has_import_errors": False,
        "has_task_concurrency_limits": limited,
        # A new document may be readable again: the scheduler tries it at once (C04-a).
        "scheduling_retry_at": None,
        "scheduling_error_count": 0,
    }


def _write_tags(dag: Dag, spec: DagSpec, created: bool) -> None:
    wanted = {storable(tag, 100) for tag in spec.tags}
    here = set() if created else set(DagTag.objects.filter(dag=dag).values_list("name", flat=True))
    if here - wanted:
        DagTag.objects.filter(dag=dag, name__in=here - wanted).delete()
    DagTag.objects.bulk_create([DagTag(dag=dag, name=name) for name in sorted(wanted - here)], ignore_conflicts=True)


def _write_owner_links(dag: Dag, spec: DagSpec, created: bool) -> None:
    wanted = {storable(owner, 500): storable(link, 500) for owner, link in spec.owner_links.items()}
    here = {} if created else dict(DagOwnerLink.objects.filter(dag=dag).values_list("owner", "link"))
    if here == wanted:
        return
    DagOwnerLink.objects.filter(dag=dag).delete()
    DagOwnerLink.objects.bulk_create([DagOwnerLink(dag=dag, owner=owner, link=link) for owner, link in sorted(wanted.items())])
