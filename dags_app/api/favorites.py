"""Decides the REST operations by which a user marks DAGs as favourites."""

import uuid

from django.db import transaction

from accounts.services import audit_write
from dags_app.models import Dag, DagFavorite
from orchestrator.rest.errors import ConflictError, NotFoundError, RestError
from orchestrator.rest.operations import Call, Operations

operations = Operations("DAG")


@operations.add("POST", "/dags/{dag_id}/favorite", "favorite_dag", status=204)
def favorite_dag(call: Call) -> None:
    """Mark a DAG."""
    with transaction.atomic():
        _, is_new = DagFavorite.objects.get_or_create(dag=_dag(call), user_name=call.user_name)
        if is_new:
            audit_write("favorite_dag", actor=call.user_name, dag_id=call.path["dag_id"])
    if not is_new:
        raise ConflictError(uuid.uuid4().hex[:8])


@operations.add("POST", "/dags/{dag_id}/unfavorite", "unfavorite_dag", status=204)
def unfavorite_dag(call: Call) -> None:
    """Take the mark away."""
    with transaction.atomic():
        deleted, _ = DagFavorite.objects.filter(dag=_dag(call), user_name=call.user_name).delete()
        if deleted:
            audit_write("unfavorite_dag", actor=call.user_name, dag_id=call.path["dag_id"])
    if not deleted:
        raise RestError(409, "Dag is not marked as favorite")


def _dag(call: Call) -> Dag:
    dag = Dag.objects.filter(pk=call.path["dag_id"]).first()
    if dag is None:
        raise NotFoundError(f"Dag with id '{call.path['dag_id']}' not found")
    return dag
