"""Connections, variables and pools by REST: what is written, what is never shown, and bulk actions whole or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditLog
from runs.models import Pool
from vault.models import Connection, Variable

JSON = "application/json"


def send(client: Client, method: str, path: str, body: Any = None) -> Any:
    answer = getattr(client, method)(f"/api/v2{path}", body, content_type=JSON)
    return answer.status_code, answer.json() if answer.content else None


def test_a_connection_is_made_changed_and_deleted_and_its_secrets_are_never_shown(client: Client) -> None:
    """C29: the password and secret parts of extra stay hidden."""
    body = {
        "connection_id": "db",
        "conn_type": "postgres",
        "password": "hunter2",
        "extra": '{"api_key": "x", "a": 1}',
        "port": 5432,
    }
    status, made = send(client, "post", "/connections", body)
    assert (status, made["password"], made["extra"]) == (201, "***", '{"api_key": "***", "a": 1}')
    status, changed = send(client, "patch", "/connections/db", {"connection_id": "db", "conn_type": "mysql", "host": "h"})
    assert (status, changed["conn_type"], changed["host"], changed["port"]) == (200, "mysql", "h", 5432)
    assert Connection.objects.get().get_password() == "hunter2"
    assert "hunter2" not in "".join(AuditLog.objects.values_list("extra", flat=True))
    assert send(client, "delete", "/connections/db") == (204, None)
    assert list(AuditLog.objects.order_by("id").values_list("event", flat=True)) == [
        "post_connection", "patch_connection", "delete_connection",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        *(
            ("host", "h" * 501, "string_too_long"),
            ("schema", "s" * 501, "string_too_long"),
            ("conn_type", "t" * 501, "string_too_long"),
        ),
        *(("port", 2**31, "less_than_equal"), ("login", "a\x00", "value_error")),
        *(("connection_id", "a\n", "string_pattern_mismatch"), ("connection_id", "a/b", "string_pattern_mismatch")),
        ("connection_id", "x" * 201, "string_too_long"),
    ],
)
def test_a_part_of_a_connection_that_no_column_could_keep_is_named(client: Client, field: str, value: Any, kind: str) -> None:
    body = {"connection_id": "c", "conn_type": "http", field: value}
    status, refused = send(client, "post", "/connections", body)
    assert status == 422
    assert [(problem["loc"], problem["type"]) for problem in refused["detail"]] == [(["body", field], kind)]
    assert not Connection.objects.exists()


def test_a_connection_id_with_two_dots_is_taken_as_airflow_does(client: Client) -> None:
    assert send(client, "post", "/connections", {"connection_id": "a..b", "conn_type": "http"})[0] == 201


def test_what_is_sent_back_as_it_was_shown_keeps_the_stored_secrets(client: Client) -> None:
    """C29: a client that reads a connection, changes one part and writes it back loses no secret, as with Airflow."""
    extra = {"api_key": "k1", "dsn": "d1", "nested": {"token": ["t1", "t2"]}, "plain": "***", "n": 1}
    send(
        client,
        "post",
        "/connections",
        {"connection_id": "db", "conn_type": "http", "password": "hunter2", "extra": json.dumps(extra)},
    )
    _, shown = send(client, "get", "/connections/db")
    assert json.loads(shown["extra"]) == {
        "api_key": "***", "dsn": "***", "nested": {"token": ["***", "***"]}, "plain": "***", "n": 1,
    }  # fmt: skip
    changed = json.loads(shown["extra"]) | {"n": 2, "api_key": "k2"}
    body = {"connection_id": "db", "conn_type": "http", "password": shown["password"], "extra": json.dumps(changed)}
    assert send(client, "patch", "/connections/db", body)[0] == 200
    row = Connection.objects.get()
    assert row.get_password() == "hunter2"
    assert json.loads(row.get_extra() or "") == extra | {"n": 2, "api_key": "k2"}


def test_fields_that_their_type_calls_passwords_are_hidden_whatever_their_name(client: Client) -> None:
    """C29: ``kube_config`` is no secret-looking name, but the provider says that it is a password."""
    extra = '{"kube_config": "apiVersion: v1", "namespace": "x"}'
    body = {"connection_id": "k", "conn_type": "kubernetes", "extra": extra}
    assert send(client, "post", "/connections", body)[1]["extra"] == '{"kube_config": "***", "namespace": "x"}'
    sent = body | {"extra": '{"kube_config": "***", "namespace": "y"}', "conn_type": "http"}
    send(client, "patch", "/connections/k", sent)
    row = Connection.objects.get()
    assert (row.conn_type, row.get_extra()) == ("http", '{"kube_config": "apiVersion: v1", "namespace": "y"}')


def test_secret_parts_of_a_json_variable_are_hidden_and_kept(client: Client) -> None:
    """C29: names inside of a value decide, as they do in a connection's extra."""
    value = {"password": "p1", "hosts": ["a", "b"]}
    _, made = send(client, "post", "/variables", {"key": "settings", "value": value})
    assert json.loads(made["value"]) == {"password": "***", "hosts": ["a", "b"]}
    send(client, "patch", "/variables/settings", {"key": "settings", "value": {"password": "***", "hosts": ["c"]}})
    assert json.loads(Variable.objects.get().get_val()) == {"password": "p1", "hosts": ["c"]}


def test_an_update_mask_leaves_the_other_fields_of_a_connection(client: Client) -> None:
    send(client, "post", "/connections", {"connection_id": "db", "conn_type": "http", "host": "old", "login": "u"})
    _, changed = send(
        client, "patch", "/connections/db?update_mask=host", {"connection_id": "db", "conn_type": "x", "host": "new"}
    )
    assert (changed["conn_type"], changed["host"], changed["login"]) == ("http", "new", "u")


@pytest.mark.parametrize(
    ("body", "kind", "where"),
    [
        ({"connection_id": "bad id!", "conn_type": "http"}, "string_pattern_mismatch", "connection_id"),
        ({"connection_id": "c" * 201, "conn_type": "http"}, "string_too_long", "connection_id"),
        ({"connection_id": "c", "conn_type": "http", "extra": "no json"}, "value_error", "extra"),
        ({"connection_id": "c", "conn_type": "http", "extra": "[1]"}, "value_error", "extra"),
        ({"connection_id": "c"}, "missing", "conn_type"),
    ],
)
def test_a_wrong_connection_is_refused_with_the_field(client: Client, body: Any, kind: str, where: str) -> None:
    status, answer = send(client, "post", "/connections", body)
    assert (status, answer["detail"][0]["type"], answer["detail"][0]["loc"]) == (422, kind, ["body", where])
    assert not Connection.objects.exists()


def test_a_variable_keeps_json_as_text_and_hides_what_its_key_calls_secret(client: Client) -> None:
    _, made = send(client, "post", "/variables", {"key": "limits", "value": {"a": [1]}, "description": "d"})
    assert (made["value"], made["description"]) == ('{"a": [1]}', "d")
    _, secret = send(client, "post", "/variables", {"key": "db_password", "value": "hunter2"})
    assert secret["value"] == "***"
    assert send(client, "post", "/variables", {"key": "limits", "value": "1"})[0] == 409
    _, changed = send(
        client, "patch", "/variables/limits?update_mask=description", {"key": "limits", "value": "9", "description": "e"}
    )
    assert (changed["value"], changed["description"]) == (made["value"], "e")
    assert send(client, "delete", "/variables/limits")[0] == 204
    assert Variable.objects.get().key == "db_password"


def test_the_default_pool_stays_also_in_bulk(client: Client) -> None:
    Pool.objects.get_or_create(pool="default_pool", defaults={"slots": 8})
    assert send(client, "delete", "/pools/default_pool")[0] == 400
    _, answer = send(client, "patch", "/pools", {"actions": [{"action": "delete", "entities": ["default_pool"]}]})
    assert answer["delete"]["errors"][0]["status_code"] == 400
    assert Pool.objects.filter(pool="default_pool").exists()


def test_a_pool_changes_only_in_what_is_sent(client: Client) -> None:
    send(client, "post", "/pools", {"name": "p", "slots": 2, "description": "d", "include_deferred": True})
    _, changed = send(client, "patch", "/pools/p", {"slots": 5})
    assert (changed["slots"], changed["description"], changed["include_deferred"]) == (5, "d", True)
    assert send(client, "patch", "/pools/p", {"name": "q", "slots": 5})[0] == 400


def test_an_action_that_fails_does_nothing_and_the_others_go_on(client: Client) -> None:
    send(client, "post", "/variables", {"key": "a", "value": "1"})
    actions = [
        {"action": "create", "entities": [{"key": "b", "value": "2"}, {"key": "a", "value": "2"}]},
        {
            "action": "update",
            "action_on_non_existence": "skip",
            "entities": [{"key": "a", "value": "3"}, {"key": "z", "value": "3"}],
        },
        {"action": "delete", "entities": [{"key": "a", "value": "x"}, "nope"]},
    ]
    status, answer = send(client, "patch", "/variables", {"actions": actions})
    assert status == 200
    assert (answer["create"]["success"], answer["create"]["errors"][0]["status_code"]) == ([], 409)
    assert answer["update"]["success"] == ["a"]
    assert answer["delete"]["errors"] == [
        {"error": "The variables with these keys: {'nope'} were not found.", "status_code": 404}
    ]
    assert [(row.key, row.get_val()) for row in Variable.objects.all()] == [("a", "3")]


@pytest.mark.parametrize(
    ("action", "where"),
    [
        ({"action": "bogus", "entities": []}, ["body", "actions", 0, "action"]),
        (
            {"action": "create", "action_on_existence": "maybe", "entities": []},
            ["body", "actions", 0, "create", "action_on_existence"],
        ),
        ({"action": "create", "entities": [{"value": "1"}]}, ["body", "actions", 0, "create", "entities", 0, "key"]),
        ({"action": "delete", "entities": 3}, ["body", "actions", 0, "delete", "entities"]),
        ("x", ["body", "actions", 0]),
    ],
)
def test_a_wrong_action_is_refused_with_its_place(client: Client, action: Any, where: list[Any]) -> None:
    status, answer = send(client, "patch", "/variables", {"actions": [action]})
    assert (status, answer["detail"][0]["loc"]) == (422, where)


def test_a_viewer_sees_no_connection(admin: Any, db: None) -> None:
    from django.contrib.auth.models import Group

    from accounts.models import User
    from accounts.tokens import token_for

    viewer = User.objects.create_user("vic", password="a-long-password")
    viewer.groups.add(Group.objects.get_or_create(name="Viewer")[0])
    client = Client(headers={"Authorization": f"Bearer {token_for(viewer, lifetime_seconds=60)}"})
    assert [client.get(f"/api/v2/{name}").status_code for name in ("connections", "variables", "pools")] == [403, 403, 200]


def test_a_favourite_is_the_users_own(client: Client) -> None:
    from tests.factories import make_dag

    make_dag("d")
    make_dag("e")
    assert send(client, "post", "/dags/d/favorite")[0] == 204
    assert send(client, "post", "/dags/d/favorite")[0] == 409
    assert [dag["dag_id"] for dag in client.get("/api/v2/dags?is_favorite=true").json()["dags"]] == ["d"]
    assert client.get("/api/v2/dags/d/details").json()["is_favorite"] is True
    assert send(client, "post", "/dags/d/unfavorite")[0] == 204
    assert send(client, "post", "/dags/d/unfavorite")[0] == 409


def test_the_configuration_is_shown_only_where_allowed_and_never_its_secrets(client: Client, monkeypatch: Any) -> None:
    from orchestrator.config import conf

    assert client.get("/api/v2/config").status_code == 403
    monkeypatch.setenv("AIRFLOW__API__EXPOSE_CONFIG", "True")
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MTI=")
    conf.reload()
    try:
        option = client.get("/api/v2/config/section/core/option/fernet_key").json()["sections"][0]["options"][0]
        assert option == {"key": "fernet_key", "value": "< hidden >"}
        text = client.get("/api/v2/config?section=core", headers={"Accept": "text/plain"})
        assert text["Content-Type"].startswith("text/plain")
        assert "parallelism = " in text.content.decode()
        assert client.get("/api/v2/config?section=nope").status_code == 404
    finally:
        monkeypatch.undo()
        conf.reload()


def test_the_default_connections_are_made_once_and_leave_what_is_there(client: Client) -> None:
    send(client, "post", "/connections", {"connection_id": "http_default", "conn_type": "mine"})
    assert send(client, "post", "/connections/defaults")[0] == 204
    assert Connection.objects.get(conn_id="http_default").conn_type == "mine"
    count = Connection.objects.count()
    assert count > 50
    assert send(client, "post", "/connections/defaults")[0] == 204
    assert Connection.objects.count() == count


def test_signing_in_by_the_api_leads_to_the_page_and_only_to_this_server(client: Client) -> None:
    answer = client.get("/api/v2/auth/login?next=/dags/x")
    assert (answer.status_code, answer["Location"]) == (307, "/auth/login/?next=%2Fdags%2Fx")
    assert client.get("/api/v2/auth/login?next=https://evil.example/").status_code == 400
    assert client.get("/api/v2/auth/logout").status_code == 307
