"""Every operation is walked as nobody, as each role, and as a stranger to the DAG (C30-a)."""

import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.roles import GROUPS, Role
from executionapi.routing import operations as execution_operations
from orchestrator.rest import ui_urls
from orchestrator.rest.operations import Operation
from orchestrator.rest.urls import MODULES
from tests.integration.accounts.world import HIDDEN, ask, client_of, fill, people, person, stranger

pytestmark = pytest.mark.django_db

UNDER_UI = [item for module in ui_urls.MODULES for item in module.operations.items]
OPERATIONS = [item for module in MODULES for item in module.operations.items] + UNDER_UI
# Operations that look before they ask for the role, as Airflow's do; and those that configuration closes for all.
LOOKS_FIRST = {"pause_backfill", "unpause_backfill", "cancel_backfill", "reparse_dag_file"}
CLOSED = {"get_config", "get_config_value", "test_connection", "enqueue_connection_test", "get_connection_test"}
# The caller must prove to be a person: the old password is wrong here.
OWN_PASSWORD = {"post_password"}


@pytest.fixture
def names() -> dict[str, Any]:
    return fill()


def _path(operation: Operation, names: dict[str, Any]) -> str:
    return ("/ui" if operation in UNDER_UI else "/api/v2") + re.sub(
        r"\{(\w+)(:path)?\}", lambda found: str(names.get(found[1], "nope")), operation.path
    )


def _with_needs(operation: Operation, path: str) -> str:
    needed = [f"{param.name}={HIDDEN}" for param in operation.params.items if param.required]
    return path + ("?" + "&".join(needed) if needed else "")


def _of_role(operation: Operation, role: Role | None) -> tuple[int, ...] | None:
    """The only statuses that are right for somebody below the role; None where nothing is refused."""
    if operation.role is None or (role is not None and role >= operation.role):
        return None
    return (403,)


def test_nobody_gets_anything_but_what_is_public(names: dict[str, Any]) -> None:
    wrong = []
    for operation in OPERATIONS:
        answer = ask(Client(raise_request_exception=False), operation.method, _path(operation, names))
        if (answer.status_code == 401) != (operation.role is not None) or answer.status_code >= 500:
            wrong.append((operation.operation_id, answer.status_code))
    assert wrong == []
    public = {operation.operation_id for operation in OPERATIONS if operation.role is None}
    assert public == {"get_version", "get_health", "login"}


@pytest.mark.parametrize("who", ["roleless", *GROUPS])
def test_each_role_gets_403_below_what_an_operation_asks_and_never_otherwise(names: dict[str, Any], who: str) -> None:
    client, role = people()[who], GROUPS.get(who)
    wrong = []
    for operation in OPERATIONS:
        answer = ask(client, operation.method, _with_needs(operation, _path(operation, names)))
        expected, status = _of_role(operation, role), answer.status_code
        exempt = operation.operation_id in CLOSED | OWN_PASSWORD | LOOKS_FIRST
        is_wrong = status not in expected if expected else status == 401 or (status == 403 and not exempt)
        if is_wrong or status >= 500:
            wrong.append((operation.operation_id, status, answer.whole[:200]))
    assert wrong == []


def test_a_stranger_to_a_dag_gets_404_for_it_and_reads_nothing_of_it_anywhere(names: dict[str, Any]) -> None:
    client = stranger()
    told, found = [], []
    for operation in OPERATIONS:
        path = _with_needs(operation, _path(operation, names))
        answer = ask(client, operation.method, path)
        assert answer.status_code < 500, (path, answer.whole)
        if "{dag_id}" in operation.path and answer.status_code != 404:
            found.append((operation.operation_id, answer.status_code))
        echoed = answer.whole.replace(f"The Dag with ID: `{HIDDEN}` was not found".encode(), b"")
        if HIDDEN.encode() in echoed:
            told.append((operation.operation_id, answer.status_code, answer.whole[:300]))
    assert found == []
    assert told == []


def test_a_stranger_reads_nothing_of_the_dag_through_the_wildcard(names: dict[str, Any]) -> None:
    client = stranger()
    told = []
    for operation in OPERATIONS:
        if operation.method != "GET" or "{dag_id}" not in operation.path:
            continue
        answer = ask(client, "GET", _path(operation, {**names, "dag_id": "~", "dag_run_id": "~"}))
        if HIDDEN.encode() in answer.whole or answer.status_code >= 500:
            told.append((operation.operation_id, answer.status_code, answer.whole[:300]))
    assert told == []


def test_what_the_stranger_misses_is_there_for_others(names: dict[str, Any]) -> None:
    """The walk would prove nothing with an empty world."""
    client = client_of(person("boss", "Admin"))
    gets = [operation for operation in OPERATIONS if operation.method == "GET"]
    telling = [op for op in gets if HIDDEN.encode() in ask(client, "GET", _with_needs(op, _path(op, names))).whole]
    lists = {"get_dags", "get_dag_tags", "list_dag_warnings", "get_assets", "get_event_logs", "get_import_errors"}
    assert lists - {operation.operation_id for operation in telling} == set()
    assert len(telling) > 30


def test_the_admin_shows_staff_only_the_dags_of_their_rules(names: dict[str, Any]) -> None:
    stranger()
    User.objects.filter(username="stranger").update(is_staff=True)
    client = Client()
    client.force_login(User.objects.get(username="stranger"))
    page = client.get("/admin/dags_app/dag/")
    assert page.status_code == 200
    assert (b"own_dag" in page.content, HIDDEN.encode() in page.content) == (True, False)
    assert client.get("/admin/runs/dagrun/").status_code == 200
    assert HIDDEN.encode() not in client.get("/admin/runs/dagrun/").content
    assert client.get("/admin/accounts/user/").status_code == 403
    assert Client().get("/admin/").status_code == 302


def test_a_persons_token_opens_nothing_of_the_door_for_workers(names: dict[str, Any]) -> None:
    boss = client_of(person("boss", "Admin"))
    wrong = []
    for operation in execution_operations():
        path = "/execution/" + re.sub(r"\{(\w+)(:path)?\}", "x", operation.path)
        for client in (Client(raise_request_exception=False), boss):
            status = ask(client, operation.method, path).status_code
            if not operation.public and (status < 400 or status >= 500):
                wrong.append((operation.method, operation.path, status))
    assert wrong == []
