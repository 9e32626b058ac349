"""Decides which rows the REST operations on DAGs, versions and import errors read, with a constant number of queries."""

from collections.abc import Iterable, Sequence
from typing import Any

from dags_app.models import Dag, DagVersion
from dags_app.selectors import SpecUnreadableError, spec_of
from orchestrator.rest.errors import NotFoundError
from orchestrator.sdk.serialization.spec import DagSpec

# Every column but the document, which may be megabytes.
VERSION_COLUMNS = ("id", "dag_id", "version_number", "bundle_name", "bundle_version", "created_at")


def dag_or_404(dag_id: str) -> Dag:
    """Return the DAG. Raises ``NotFoundError`` with Airflow's text."""
    dag = Dag.objects.filter(pk=dag_id).prefetch_related("tags").first()
    if dag is None:
        raise NotFoundError(f"The Dag with ID: `{dag_id}` was not found")
    return dag


def spec_or_404(dag: Dag, version_number: int | None = None) -> DagSpec:
    """Return a DAG as one of its versions describes it, the newest by default; without any task where it has no version.

    Raises ``NotFoundError`` for a version that is not there or that cannot be read.
    """
    version_id = dag.latest_version_id if version_number is None else version_or_404(dag.pk, version_number).pk
    try:
        return spec_of(version_id) if version_id is not None else DagSpec(dag_id=dag.dag_id)
    except SpecUnreadableError as error:
        raise NotFoundError(str(error)) from error


def version_or_404(dag_id: str, number: int) -> DagVersion:
    """Return a version without its document. Raises ``NotFoundError`` with Airflow's text."""
    version = DagVersion.objects.only(*VERSION_COLUMNS).filter(dag_id=dag_id, version_number=number).first()
    if version is None:
        raise NotFoundError(f"The DagVersion with dag_id: `{dag_id}` and version_number: `{number}` was not found")
    return version


def shown_names(dag_ids: Iterable[str]) -> dict[str, str]:
    """Return the display name of each DAG; one that was deleted goes by its id."""
    wanted = set(dag_ids)
    found = Dag.objects.filter(pk__in=wanted).values_list("dag_id", "dag_display_name")
    return {dag_id: dag_id for dag_id in wanted} | {dag_id: name or dag_id for dag_id, name in found}


def versions_by_id(ids: Iterable[Any]) -> dict[Any, DagVersion]:
    """Return the versions without their documents, each with ``shown_dag_name``; two queries at most."""
    wanted = {version_id for version_id in ids if version_id is not None}
    found = list(DagVersion.objects.filter(pk__in=wanted).only(*VERSION_COLUMNS)) if wanted else []
    attach_names(found)
    return {version.pk: version for version in found}


def attach_names(rows: Sequence[Any]) -> None:
    """Set ``shown_dag_name`` on rows that have a ``dag_id``."""
    names = shown_names(row.dag_id for row in rows)
    for row in rows:
        row.shown_dag_name = names[row.dag_id]
