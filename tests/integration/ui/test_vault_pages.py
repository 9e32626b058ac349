"""The pages of connections and variables: for Op and above, audited, and without a secret in any answer (C29)."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import AuditLog
from runs.models import Pool
from tests.integration.ui.costs import queries_of
from tests.integration.ui.signed_in import client_of
from vault.models import Connection, Variable
from vault.services import connection_set, variable_set

pytestmark = pytest.mark.django_db

SECRETS = ("p4ssw0rd", "sea1ed", "t0ken", "d33p")
PAGES = (
    *("/connections", "/connections/add", "/connections/db/edit", "/connections/delete?selected=db", "/connections/import"),
    *("/connections/export", "/connections?format=csv", "/variables", "/variables/add", "/variables/edit/api_key"),
    *("/variables/edit/settings", "/variables/delete?selected=api_key", "/variables/import", "/variables/export", "/variables?format=csv"),
)  # fmt: skip


@pytest.fixture
def client() -> Client:
    extra = json.dumps({"api_key": "sea1ed", "region": "eu"})
    connection_set("db", conn_type="postgres", host="db.local", login="ann", password="p4ssw0rd", port=5432, extra=extra)
    variable_set("api_key", "t0ken", description="of the bank")
    variable_set("settings", json.dumps({"password": "d33p", "size": 3}))
    variable_set("region", "eu")
    return client_of("Op", name="ann")


def text_of(answer: Any) -> str:
    return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()


@pytest.mark.parametrize("path", PAGES)
def test_each_page_is_for_op_and_holds_no_secret(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    text = text_of(answer)
    assert [secret for secret in SECRETS if secret in text] == []
    assert client_of("User").get(path).status_code == 403
    assert Client().get(path).status_code == 302


def test_the_lists_show_what_is_open(client: Client) -> None:
    text = text_of(client.get("/connections?connection_id_pattern=d"))
    assert "db.local" in text and "5432" in text and "/connections/db/edit" in text
    text = text_of(client.get("/variables"))
    assert '<code class="wrap">eu</code>' in text and "of the bank" in text and "***" in text and "&quot;size&quot;: 3" in text


def test_a_connection_is_made_changed_and_deleted_with_its_line_in_the_audit_log(client: Client) -> None:
    made = client.post("/connections/add", {"conn_id": "new", "conn_type": "http", "host": "x", "password": "s3cret"})
    assert (made.status_code, made["Location"]) == (302, "/connections")
    changed = {"conn_type": "http", "host": "y", "password": "", "extra": ""}
    assert client.post("/connections/new/edit", changed).status_code == 302
    row = Connection.objects.get(conn_id="new")
    assert (row.host, row.get_password()) == ("y", "s3cret")
    note = AuditLog.objects.get(event="patch_connection")
    assert (note.owner, note.before, note.after) == ("ann", {"host": "x"}, {"host": "y"})
    assert "s3cret" not in str(list(AuditLog.objects.values_list("extra", "before", "after")))
    asked = client.get("/connections/delete", {"selected": ["new", "db", "nope"]})
    assert "Delete 2 connections" in text_of(asked) and Connection.objects.count() == 2
    assert client.post("/connections/delete", {"selected": ["new", "db"]}).status_code == 302
    assert Connection.objects.count() == 0 and AuditLog.objects.filter(event="delete_connection").count() == 2
    assert client.get("/connections/delete", {"selected": ["new"]}).status_code == 404


def test_what_is_wrong_in_a_form_is_said_and_a_sent_mask_keeps_the_secret(client: Client) -> None:
    wrong = client.post("/connections/add", {"conn_id": "a b", "conn_type": "http", "extra": "[1]"})
    assert wrong.status_code == 422 and "JSON object is needed" in text_of(wrong) and "1 to 200 letters, digits" in text_of(wrong)
    assert client.post("/connections/add", {"conn_id": "db", "conn_type": "http"}).status_code == 422
    sent = {"conn_type": "postgres", "host": "db.local", "extra": json.dumps({"api_key": "***", "region": "us"})}
    client.post("/connections/db/edit", sent | {"login": "ann", "port": "5432"})
    assert json.loads(Connection.objects.get().get_extra() or "") == {"api_key": "sea1ed", "region": "us"}
    client.post("/variables/edit/settings", {"val": json.dumps({"password": "***", "size": 4})})
    assert json.loads(Variable.objects.get(key="settings").get_val() or "") == {"password": "d33p", "size": 4}
    assert client.get("/connections/nope/edit").status_code == 404 and client.get("/variables/edit/nope").status_code == 404


def test_a_variable_is_made_with_any_key_and_deleted(client: Client) -> None:
    assert client.post("/variables/add", {"key": "a/b c?", "val": "1", "description": "d"}).status_code == 302
    assert "Variable <code>a/b c?</code>" in text_of(client.get("/variables/edit/a/b%20c%3F"))
    assert client.post("/variables/delete", {"selected": "a/b c?"}).status_code == 302
    assert not Variable.objects.filter(key="a/b c?").exists()
    assert set(AuditLog.objects.values_list("event", flat=True)) == {"post_variable", "delete_variable"}
    every = text_of(client.get("/variables/delete?all=on&variable_key_pattern=e"))
    assert "Delete 3 variables" in every


def import_file(client: Client, noun: str, content: Any, rule: str = "fail", name: str = "f.json") -> Any:
    file = SimpleUploadedFile(name, content if isinstance(content, bytes) else json.dumps(content).encode())
    return client.post(f"/{noun}/import", {"file": file, "on_existing": rule})


def test_an_import_obeys_its_rule_for_names_that_are_taken(client: Client) -> None:
    file = {"region": "us", "size": 3}
    refused = import_file(client, "variables", file)
    assert refused.status_code == 422 and "exist already: region" in text_of(refused)
    assert not Variable.objects.filter(key="size").exists()
    assert import_file(client, "variables", file, "skip").status_code == 302
    assert (Variable.objects.get(key="region").get_val(), Variable.objects.get(key="size").get_val()) == ("eu", "3")
    import_file(client, "variables", file, "overwrite")
    assert Variable.objects.get(key="region").get_val() == "us"
    typed = client.post("/connections/import", {"text": '{"c": {"conn_type": "http", "host": "h"}}', "on_existing": "fail"})
    assert typed.status_code == 302 and Connection.objects.get(conn_id="c").host == "h"
    assert AuditLog.objects.filter(event="import_variables").count() == 2


def test_an_export_that_comes_back_keeps_every_secret(client: Client) -> None:
    for noun in ("variables", "connections"):
        assert import_file(client, noun, text_of(client.get(f"/{noun}/export")).encode(), "overwrite").status_code == 302
    row = Connection.objects.get()
    assert (row.get_password(), json.loads(row.get_extra() or "")["api_key"], row.port) == ("p4ssw0rd", "sea1ed", 5432)
    assert Variable.objects.get(key="api_key").get_val() == "t0ken"
    assert json.loads(Variable.objects.get(key="settings").get_val() or "")["password"] == "d33p"
    assert Variable.objects.get(key="api_key").description == "of the bank"


def test_files_that_cannot_be_taken_are_refused_with_words(client: Client) -> None:
    for content, name, words in (
        (b"{", "f.json", "cannot be read"),
        (b"\xff\xfe", "f.json", "no text in UTF-8"),
        (b"x", "f.exe", "must end in .json"),
        ({"other_password": "***"}, "f.json", "none is stored here"),
    ):
        answer = import_file(client, "variables", content, name=name)
        assert (answer.status_code, words in text_of(answer)) == (422, True), words
    for part, value in (("host", "h" * 501), ("login", "a\x00"), ("port", 2**40)):
        answer = import_file(client, "connections", {"n": {"conn_type": "http", part: value}, "fine": {"conn_type": "http"}})
        assert (answer.status_code, f"&#x27;n&#x27; has a {part}" in text_of(answer)) == (422, True), part
    assert not Connection.objects.filter(conn_id="fine").exists()
    masked = import_file(client, "connections", {"n": {"conn_type": "http", "password": "***"}})
    assert "none is stored here" in text_of(masked)
    assert "Choose a file" in text_of(client.post("/variables/import", {"on_existing": "fail"}))
    assert "Choose what happens" in text_of(client.post("/variables/import", {"text": "{}", "on_existing": "x"}))


@pytest.mark.parametrize(
    ("noun", "name"),
    [("connections", name) for name in ("a/b", "", "a\nb", "a\x00", "a\n", "a..b", "x" * 201)]
    + [("variables", name) for name in ("", "a\nb", "a\x00", "x" * 251)],
)
def test_an_import_refuses_names_that_no_page_and_no_column_could_carry(client: Client, noun: str, name: str) -> None:
    answer = import_file(client, noun, {name: {"conn_type": "http"}, "fine": {"conn_type": "http"}})
    assert answer.status_code == 422 and "Nothing was imported" in text_of(answer)
    assert not Variable.objects.filter(key="fine").exists() and not Connection.objects.filter(conn_id="fine").exists()


def test_rows_with_names_that_no_address_can_carry_are_listed_all_the_same(client: Client) -> None:
    for name in ("a/b", ""):
        connection_set(name, conn_type="http", host=f"host-of-{name}")
    for name in ("a\nb", ""):
        variable_set(name, f"value-of-{name}")
        Pool.objects.create(pool=name, slots=1, description=f"text-of-{name}")
    assert "host-of-a/b" in text_of(client.get("/connections")) and "value-of-a" in text_of(client.get("/variables"))
    assert "text-of-a" in text_of(client.get("/pools"))


def test_a_test_from_the_list_says_that_tests_are_off_and_defaults_are_made_once(client: Client) -> None:
    answer = client.post("/connections/db/test", follow=True)
    assert "Tests of connections are off" in text_of(answer)
    assert client.post("/connections/nope/test").status_code == 404
    assert "default connections made" in text_of(client.post("/connections/defaults", follow=True))
    assert "are there" in text_of(client.post("/connections/defaults", follow=True))


@pytest.mark.parametrize("path", ["/connections", "/variables"])
def test_a_list_takes_as_many_queries_for_many_rows(client: Client, path: str) -> None:
    first = queries_of(client, path)
    for number in range(6):
        connection_set(f"c{number}", conn_type="http", password="x")
        variable_set(f"v{number}", "x")
    assert queries_of(client, path) == first <= 7
