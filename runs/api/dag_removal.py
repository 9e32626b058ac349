"""Decides the REST operation that deletes a DAG with its history."""

from django.db import transaction

from accounts.roles import Role
from accounts.services import audit_write
from orchestrator.rest.errors import NotFoundError, RestError
from orchestrator.rest.operations import Call, Operations
from runs.services_dag_delete import DagBusyError, dag_delete

operations = Operations("DAG")


@operations.add("DELETE", "/dags/{dag_id}", "delete_dag", role=Role.USER, status=204)
def delete_dag(call: Call) -> None:
    """Delete a DAG and all of its runs; a file that still defines it brings the DAG back, without history."""
    dag_id = call.path["dag_id"]
    with transaction.atomic():
        try:
            found = dag_delete(dag_id)
        except DagBusyError as error:
            raise RestError(409, str(error)) from error
        if not found:
            raise NotFoundError(f"Dag with id: {dag_id} was not found")
        audit_write("delete_dag", actor=call.user_name, dag_id=dag_id)
