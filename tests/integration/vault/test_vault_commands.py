"""The commands ``connections``, ``variables`` and ``pools``: Airflow's flags, answers and files."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditLog
from orchestrator.config import conf
from runs.models import Pool
from vault.models import Connection, Variable
from vault.services import connection_set, variable_set

pytestmark = pytest.mark.django_db


def run(*arguments: Any) -> str:
    out = StringIO()
    call_command(*map(str, arguments), stdout=out, stderr=out)
    return out.getvalue().rstrip("\n")


def test_a_connection_is_added_shown_and_deleted() -> None:
    added = run("connections", "add", "c1", "--conn-type", "generic", "--conn-host", "h", "--conn-password", "p@:ss",
                "--conn-extra", '{"a": "1"}')  # fmt: skip
    assert added == "Successfully added `conn_id`=c1"
    row = {
        "id": str(Connection.objects.get().pk), "conn_id": "c1", "conn_type": "generic", "description": None, "host": "h",
        "schema": None, "login": None, "password": "p@:ss", "port": None, "extra_dejson": {"a": "1"},
        "get_uri": "generic://:p%40%3Ass@h/?a=1",
    }  # fmt: skip
    [shown] = json.loads(run("connections", "get", "c1", "-o", "json"))
    assert row.items() <= shown.items()
    assert json.loads(run("connections", "list", "-o", "json")) == [{"conn_id": "c1", "conn_type": "generic"}]
    assert run("connections", "delete", "c1") == "Successfully deleted connection with `conn_id`=c1"
    assert not Connection.objects.exists()
    assert set(AuditLog.objects.values_list("event", flat=True)) == {"cli_connections_add", "cli_connections_delete"}


def test_hidden_secrets_are_in_no_column() -> None:
    connection_set("c", conn_type="http", login="me", password="p4ssw", extra='{"token": "tokentok"}', host="h")
    [row] = json.loads(run("connections", "list", "--show-values", "--hide-sensitive", "-o", "json"))
    assert (row["password"], row["extra_dejson"]) == ("***", "***")
    assert "p4ssw" not in str(row)
    assert "tokentok" not in str(row)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["add", "c"], "exactly one of"),
        (["add", "c", "--conn-uri", "http://h", "--conn-host", "h"], "--conn-host cannot go with --conn-uri"),
        (["add", "b@d", "--conn-type", "x"], "1 to 200 letters"),
        (["add", "a/b", "--conn-type", "x"], "1 to 200 letters"),
        (["add", "a..b", "--conn-type", "x"], "no two dots"),
        (["add", "x" * 201, "--conn-type", "x"], "1 to 200 letters"),
        (["add", "c", "--conn-type", "x", "--conn-host", "h" * 501], "'c'.*host.*500 characters"),
        (["add", "c", "--conn-type", "x", "--conn-port", "3000000000"], "'c'.*port"),
        (["add", "there", "--conn-type", "x"], "already exists"),
        (["add", "c", "--conn-json", "[]"], "--conn-json must be"),
        (["add", "c", "--conn-type", "x", "--conn-extra", "{"], "--conn-extra is no JSON"),
        (["get", "nope"], "Connection not found"),
        (["delete", "nope"], "Did not find a connection"),
        (["export", "x.bin"], "unsupported file format"),
        (["import", "nothere.json"], "was not found"),
    ],
)
def test_a_wrong_order_says_what_is_wrong(arguments: list[str], reason: str) -> None:
    connection_set("there", conn_type="http")
    with pytest.raises(CommandError, match=reason):
        run("connections", *arguments)


@pytest.mark.parametrize("name", ["x.json", "x.yaml", "x.env", ".env"])
@pytest.mark.parametrize("serialization", ["uri", "json"])
def test_what_is_exported_comes_back_equal(tmp_path: Path, name: str, serialization: str) -> None:
    connection_set("c1", conn_type="generic", host="h", password="p@:ss=1", extra='{"a": "1", "b": {"c": [1]}}', port=5)
    connection_set("c2", conn_type="http", schema="https", login="ü")
    before = _connections()
    file = tmp_path / name
    more = ["--serialization-format", serialization] if name.endswith("env") else []
    assert run("connections", "export", file, *more) == f"2 Connections successfully exported to {file}."
    assert file.stat().st_mode & 0o077 == 0
    Connection.objects.filter(conn_id="c1").delete()
    Connection.objects.filter(conn_id="c2").update(host="other")
    lines = run("connections", "import", file).splitlines()
    assert lines == ["Could not import connection c2: connection already exists.", "Imported connection c1"]
    run("connections", "import", file, "--overwrite")
    assert _connections() == before


def _connections() -> list[Any]:
    rows = Connection.objects.order_by("conn_id")
    return [
        (r.conn_id, r.conn_type, r.host or None, r.schema or None, r.login or None, r.get_password(), r.port, r.get_extra())
        for r in rows
    ]


def test_one_connection_that_cannot_be_imported_leaves_all_as_they_were(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text(json.dumps({"good": "http://h", "bad": {"conn_type": "http", "port": "many"}}))
    with pytest.raises(CommandError, match="bad"):
        run("connections", "import", file)
    assert not Connection.objects.exists()


@pytest.mark.parametrize("name", ["a/b:c#d!(e)", "sp ace", "", "n\n", "a..b", "x" * 201])
def test_an_import_tells_of_ids_that_no_connection_may_have_and_takes_the_others(tmp_path: Path, name: str) -> None:
    """As Airflow 3.3.2 does: a line for each of them, and the command succeeds."""
    file = tmp_path / "x.json"
    file.write_text(json.dumps({name: "http://h", "x" * 200: "http://h", "b.-_ü": "http://h"}))
    said = run("connections", "import", file)
    assert f"Could not import connection {name!r}: its id" in said
    assert said.count("Imported connection") == 2
    assert set(Connection.objects.values_list("conn_id", flat=True)) == {"x" * 200, "b.-_ü"}


def test_an_import_takes_ids_with_two_dots_where_the_configuration_allows_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x.json"
    file.write_text(json.dumps({"a..b": "http://h"}))
    with monkeypatch.context() as patch:
        patch.setenv("AIRFLOW__CORE__ALLOW_DOUBLE_DOT_IN_IDS", "True")
        conf.reload()
        assert run("connections", "import", file) == "Imported connection a..b"
    conf.reload()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(
            ("host", "h" * 501),
            ("schema", "s" * 501),
            ("conn_type", "t" * 501),
            ("port", 2**31),
            ("port", "-2147483649"),
            ("host", ["h"]),
        ),
        *((name, "a\x00") for name in ("conn_type", "description", "host", "schema", "login")),
    ],
)
def test_a_part_that_no_column_could_keep_is_named_and_nothing_is_imported(tmp_path: Path, field: str, value: Any) -> None:
    file = tmp_path / "x.json"
    file.write_text(json.dumps({"good": "http://h", "bad": {"conn_type": "http", field: value}}))
    with pytest.raises(CommandError, match=f"'bad'.*{field}"):
        run("connections", "import", file)
    assert not Connection.objects.exists()


def test_a_part_that_yaml_reads_as_a_number_is_its_text(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("c: {conn_type: http, login: 17, password: 12345}")
    run("connections", "import", file)
    row = Connection.objects.get()
    assert (row.login, row.get_password()) == ("17", "12345")


def test_variables_are_set_read_and_listed() -> None:
    assert run("variables", "set", "a", '{"x":1}', "-j") == "Variable a created"
    run("variables", "set", "b", "text", "--description", "D")
    assert run("variables", "get", "a") == r'"{\"x\":1}"'
    assert run("variables", "get", "a", "-j") == '{"x":1}'
    assert run("variables", "get", "nope", "-d", "dflt") == "dflt"
    assert json.loads(run("variables", "list", "-o", "json")) == [{"key": "a"}, {"key": "b"}]
    shown = json.loads(run("variables", "list", "--show-values", "--hide-sensitive", "-o", "json"))
    assert shown[1] == {"key": "b", "val": "***"}
    assert run("variables", "delete", "nope") == "Variable nope deleted"
    with pytest.raises(CommandError, match="Variable nope does not exist"):
        run("variables", "get", "nope")


def test_variables_leave_and_come_back_by_the_rule_for_existing_keys(tmp_path: Path) -> None:
    variable_set("a", '{"x": 1}')
    variable_set("b", "007", description="agent")
    file = tmp_path / "v.json"
    assert run("variables", "export", file) == f"2 Variables successfully exported to {file}."
    assert json.loads(file.read_text()) == {"a": {"x": 1}, "b": {"value": "007", "description": "agent"}}
    variable_set("b", "changed")
    with pytest.raises(CommandError, match="exist already: a, b"):
        run("variables", "import", file, "-a", "fail")
    assert run("variables", "import", file, "-a", "skip").splitlines()[0] == "0 of 2 variables successfully updated."
    assert run("variables", "import", file) == "2 of 2 variables successfully updated."
    assert {row.key: row.get_val() for row in Variable.objects.all()} == {"a": '{"x": 1}', "b": "007"}
    (tmp_path / "v.env").write_text("# comment\n\nb=env=value\n")
    run("variables", "import", tmp_path / "v.env")
    assert run("variables", "get", "b") == "env=value"


def test_pools_are_set_listed_exported_and_imported(tmp_path: Path) -> None:
    Pool.objects.all().delete()
    assert run("pools", "set", "p", "3", "desc", "--include-deferred") == "Pool p created"
    row = {"pool": "p", "slots": "3", "description": "desc", "include_deferred": "True", "team_name": None}
    assert json.loads(run("pools", "get", "p", "-o", "json")) == [row]
    file = tmp_path / "p.json"
    assert run("pools", "export", file) == f"Exported 1 pools to {file}"
    assert run("pools", "delete", "p") == "Pool p deleted"
    assert run("pools", "import", file) == "Uploaded 1 pool(s)"
    assert json.loads(run("pools", "list", "-o", "json")) == [row]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["get", "nope"], "does not exist"),
        (["delete", "default_pool"], "cannot be deleted"),
        (["set", "p", "-2", ""], "slots -2"),
    ],
)
def test_a_wrong_order_for_pools_says_what_is_wrong(arguments: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        run("pools", *arguments)
