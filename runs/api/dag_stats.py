"""Decides the REST operation that counts the runs of DAGs by state."""

from collections import Counter
from typing import Any

from django.db.models import Count

from dags_app.models import Dag
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.params import Param, params
from runs.models import DagRun
from runs.states import DagRunState

operations = Operations("DagStats")

LIST = params(Param("dag_ids", many=True))


@operations.add("GET", "/dagStats", "get_dag_stats", params=LIST)
def get_dag_stats(call: Call) -> dict[str, Any]:
    """Return for each DAG that has runs how many are in each state; all DAGs that are not stale by default."""
    dags = Dag.objects.active().only("dag_id", "dag_display_name").order_by("dag_id")
    if call.query["dag_ids"]:
        dags = dags.filter(pk__in=call.query["dag_ids"])
    found = list(dags)
    counted = _counts([dag.pk for dag in found])
    with_runs = {dag_id for dag_id, _ in counted}
    rows = [_stats(dag, counted) for dag in found if dag.pk in with_runs]
    return {"dags": rows, "total_entries": len(rows)}


def _counts(dag_ids: list[str]) -> Counter[tuple[str, str]]:
    rows = DagRun.objects.filter(dag_id__in=dag_ids).order_by().values_list("dag_id", "state").annotate(number=Count("id"))
    return Counter({(dag_id, state): number for dag_id, state, number in rows})


def _stats(dag: Dag, counted: Counter[tuple[str, str]]) -> dict[str, Any]:
    stats = [{"state": state.value, "count": counted[dag.pk, state.value]} for state in DagRunState]
    return {"dag_id": dag.dag_id, "dag_display_name": dag.dag_display_name or dag.dag_id, "stats": stats}
