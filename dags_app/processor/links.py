"""Decides which rows the links of a stored version to other DAGs give; one DAG at a time."""

from __future__ import annotations

from dags_app.graph.outside import TRIGGER, links_of
from dags_app.models import Dag, DagLink
from dags_app.processor.texts import storable
from orchestrator.sdk.serialization.spec import DagSpec

COLUMNS = ("kind", "task_id", "label", "other_dag_id")


def links_store(dag: Dag, spec: DagSpec) -> None:
    """Write which DAGs a DAG triggers and waits for now; runs in the transaction that stores its version.

    A DAG without links, before and now, costs one query.
    """
    wanted = {
        (
            link.kind,
            storable(link.task_id, 250),
            storable(link.label, 2000),
            storable(link.target if link.kind == TRIGGER else link.source, 250),
        )
        for link in links_of(spec)
    }
    old = {tuple(columns): pk for pk, *columns in DagLink.objects.filter(dag=dag).values_list("pk", *COLUMNS)}
    if gone := [pk for columns, pk in old.items() if columns not in wanted]:
        DagLink.objects.filter(pk__in=gone).delete()
    fresh = sorted(wanted - old.keys())
    DagLink.objects.bulk_create([DagLink(dag=dag, **dict(zip(COLUMNS, columns, strict=True))) for columns in fresh])
