"""Decides what the REST API tells of a DAG beyond its row: what the newest version's document says."""

from typing import Any

from dags_app.api.asset_expressions import asset_expression
from dags_app.api.queries import VERSION_COLUMNS, attach_names
from dags_app.api.schemas import DAG, VERSION, duration, params_of
from dags_app.models import Dag, DagVersion
from dags_app.selectors import SpecUnreadableError, spec_of
from orchestrator.sdk.serialization.spec import DagSpec


def details_of(dag: Dag) -> dict[str, Any]:
    """Return the body of ``/dags/{dag_id}/details``; a document that cannot be read leaves its fields at their defaults."""
    return DAG.of(dag) | _row_fields(dag) | _spec_fields(_spec(dag)) | {"latest_dag_version": _latest_version(dag)}


def _spec(dag: Dag) -> DagSpec:
    try:
        return spec_of(dag.latest_version_id) if dag.latest_version_id else DagSpec(dag_id=dag.dag_id)
    except SpecUnreadableError:
        return DagSpec(dag_id=dag.dag_id)


def _row_fields(dag: Dag) -> dict[str, Any]:
    return {
        "catchup": dag.catchup,
        "concurrency": dag.max_active_tasks,
        "last_parsed": dag.last_parsed_time,
        "active_runs_count": dag.runs.filter(state="running").count(),
        "is_favorite": False,
    }


def _spec_fields(spec: DagSpec) -> dict[str, Any]:
    return {
        "allowed_run_types": spec.allowed_run_types,
        "asset_expression": asset_expression(spec.asset_condition),
        "dag_run_timeout": duration(spec.dagrun_timeout),
        "default_args": spec.default_args,
        "doc_md": spec.doc_md,
        "end_date": spec.end_date,
        "start_date": spec.start_date,
        "is_paused_upon_creation": spec.is_paused_upon_creation,
        "owner_links": spec.owner_links,
        "params": params_of(spec.params),
        "render_template_as_native_obj": spec.render_template_as_native_obj,
        "rerun_with_latest_version": spec.rerun_with_latest_version,
        "template_search_path": spec.template_searchpath or None,
        "timezone": spec.timezone,
    }


def _latest_version(dag: Dag) -> dict[str, Any] | None:
    if dag.latest_version_id is None:
        return None
    version = DagVersion.objects.filter(pk=dag.latest_version_id).only(*VERSION_COLUMNS).first()
    if version is not None:
        attach_names([version])
    return VERSION.optional(version)
