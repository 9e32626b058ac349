"""Decides the REST operation that asks for another parse of a DAG file."""

from django.core import signing
from django.db import transaction
from django.http import HttpResponse

from accounts.roles import Role
from accounts.services import audit_write
from dags_app.models import Dag
from dags_app.services import file_request_reparse
from orchestrator.rest.answers import json_response
from orchestrator.rest.auth import EVERY_DAG, require
from orchestrator.rest.errors import NotFoundError
from orchestrator.rest.operations import Call, Operations

operations = Operations("DAG Parsing")


@operations.add("PUT", "/parseDagFile/{file_token}", "reparse_dag_file", status=201)
def reparse_dag_file(call: Call) -> HttpResponse:
    """Have the DAG processor parse a file again, whether it changed or not."""
    place = _place(call.path["file_token"])
    if place is None:
        raise NotFoundError("File not found")
    # After the look, as in Airflow: a viewer learns that there is none.
    for dag_id in _dags_of(*place) or [EVERY_DAG]:
        require(call.request.user, Role.USER, dag_id)
    with transaction.atomic():
        if file_request_reparse(*place) is None:
            raise NotFoundError("File not found")
        audit_write("reparse_dag_file", actor=call.user_name, extra={"bundle_name": place[0], "relative_fileloc": place[1]})
    return json_response(None, 201)


def _dags_of(bundle: str, path: str) -> list[str]:
    return list(Dag.objects.filter(bundle=bundle, relative_fileloc=path).order_by("pk").values_list("pk", flat=True))


def _place(token: str) -> tuple[str, str] | None:
    """Read what ``file_token`` of a DAG says: bundle and path; None for a token that is not ours."""
    try:
        value = signing.loads(token, salt="dag-file")
        return str(value["bundle_name"]), str(value["relative_fileloc"])
    except (signing.BadSignature, KeyError, TypeError):
        return None
