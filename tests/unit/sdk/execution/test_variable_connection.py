"""Variables and connections: from the environment, from the supervisor, and in their text forms."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.sdk.definitions.connection import Connection
from orchestrator.sdk.definitions.dag import DAG
from orchestrator.sdk.definitions.variable import Variable
from orchestrator.sdk.exceptions import AirflowException, AirflowNotFoundException, AirflowRuntimeError
from orchestrator.sdk.operators.python import PythonOperator
from tests.attempts import Supervisor, attempt


def in_task(work: Any, supervisor: Supervisor) -> Supervisor:
    with DAG("d", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
        PythonOperator(task_id="t", python_callable=work)
    attempt(dag, "t", supervisor)
    assert supervisor.final["type"] == "SucceedTask", supervisor.final
    return supervisor


def test_the_environment_comes_before_the_supervisor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_LIMITS", '{"a": 1}')
    monkeypatch.setenv("AIRFLOW_CONN_DB", '{"conn_type": "http", "host": "h", "port": "80", "extra": {"a": 1}}')
    assert Variable.get("limits", deserialize_json=True) == {"a": 1}
    assert Connection.get("db") == Connection(conn_id="db", conn_type="http", host="h", port=80, extra='{"a": 1}')


def test_outside_of_a_task_a_missing_one_says_where_to_read_it() -> None:
    with pytest.raises(AirflowRuntimeError, match="AIRFLOW_VAR_NOPE"):
        Variable.get("nope")
    assert Variable.get("nope", default=None) is None
    assert Variable.get("nope", default_var=3) == 3
    with pytest.raises(AirflowNotFoundException, match="AIRFLOW_CONN_NOPE"):
        Connection.get("nope")
    with pytest.raises(RuntimeError, match="running task"):
        Variable.set("a", "b")


def test_in_a_task_variables_are_read_written_and_deleted() -> None:
    def work() -> None:
        assert Variable.get("a", deserialize_json=True) == [1]
        assert Variable.get("nope", default=5) == 5
        Variable.set("b", {"x": 1}, description="d", serialize_json=True)
        Variable.delete("a")
        with pytest.raises(AirflowRuntimeError, match="VARIABLE_NOT_FOUND"):
            Variable.get("nope")
        with pytest.raises(AirflowNotFoundException):
            Connection.get("nope")

    supervisor = in_task(work, Supervisor(variables={"a": "[1]"}))
    (put,) = supervisor.of_type("PutVariable")
    assert (put["key"], put["value"], put["description"]) == ("b", '{\n  "x": 1\n}', "d")
    assert supervisor.of_type("DeleteVariable")[0]["key"] == "a"


@pytest.mark.parametrize(
    ("uri", "parts", "back"),
    [
        ("http://https://example.org", {"conn_type": "http", "host": "https://example.org"}, "http://https://example.org"),
        ("https://u@h/", {"conn_type": "https", "host": "h", "login": "u"}, "https://u@h"),
        ("aws://", {"conn_type": "aws", "host": ""}, "aws://"),
        (
            "my-type://h:1/s?a=b&c=%20",
            {"conn_type": "my_type", "port": 1, "schema": "s", "extra": '{"a": "b", "c": " "}'},
            "my-type://h:1/s?a=b&c=+",
        ),
        ("sqlite:///tmp/x.db", {"conn_type": "sqlite", "schema": "tmp/x.db"}, "sqlite:///tmp%2Fx.db"),
        (
            "p://a%2Fb:c%3Ad@h%2Fx/s%2Ft",
            {"login": "a/b", "password": "c:d", "host": "h/x", "schema": "s/t"},
            "p://a%2Fb:c%3Ad@h%2Fx/s%2Ft",
        ),
        ("postgresql://u:p@h1:1/db", {"conn_type": "postgres", "schema": "db"}, "postgres://u:p@h1:1/db"),
        ("http://h?__extra__=notjson", {"extra": "notjson"}, "http://h/?__extra__=notjson"),
        ("google-cloud-platform://?extra__x=1", {"conn_type": "google_cloud_platform"}, "google-cloud-platform:///?extra__x=1"),
    ],
)
def test_a_uri_is_read_and_written_as_airflow_does(uri: str, parts: dict[str, Any], back: str) -> None:
    found = Connection.from_uri(uri, "c")
    assert {name: getattr(found, name) for name in parts} == parts
    assert found.get_uri() == back


def test_an_extra_that_is_no_json_is_read_as_empty() -> None:
    assert Connection(conn_id="x", extra="zz").extra_dejson == {}


def test_json_of_a_connection_leaves_the_id_and_empty_parts_out() -> None:
    found = Connection(conn_id="x", conn_type="http", host="h", extra='{"a":{"b":1}}')
    assert found.as_json() == '{"conn_type": "http", "host": "h", "extra": {"a": {"b": 1}}}'


def test_a_broken_environment_variable_is_named_without_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_DB", '{"conn_type": "http", "port": "eighty"}')
    with pytest.raises(AirflowException, match=r"AIRFLOW_CONN_DB.*whole number"):
        Connection.get("db")


def test_a_connection_is_made_of_a_uri_or_of_parts_not_of_both() -> None:
    made = Connection(conn_id="c", uri="postgresql://u:p%40@h:5432/db?sslmode=require")
    assert (made.conn_id, made.conn_type, made.login, made.password, made.port) == ("c", "postgres", "u", "p@", 5432)
    assert made.extra_dejson == {"sslmode": "require"}
    assert made == Connection.from_uri("postgresql://u:p%40@h:5432/db?sslmode=require", "c")
    with pytest.raises(AirflowException, match="one or the other"):
        Connection(conn_id="c", uri="http://h", host="x")


def test_a_text_that_is_no_json_counts_as_no_variable_where_json_is_asked_for() -> None:
    def work() -> None:
        assert Variable.get("text") == "no json"
        assert Variable.get("text", default=5, deserialize_json=True) == 5
        with pytest.raises(AirflowRuntimeError, match=r"VARIABLE_NOT_FOUND.*no JSON"):
            Variable.get("text", deserialize_json=True)

    supervisor = in_task(work, Supervisor(variables={"text": "no json"}))
    assert any("Variable text is there, but its text is no JSON" in record["event"] for record in supervisor.logged())


def test_a_template_may_ask_for_a_variable_that_is_not_there() -> None:
    template = "{{ var.value.get('nope', 'fallback') }} {{ var.value.get('nope') }} {{ var.json.get('nope', {'a': 1}).a }}"

    def work(text: str) -> None:
        assert text == "fallback NOTSET 1"

    with DAG("d", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
        PythonOperator(task_id="t", python_callable=work, op_args=[template])
    assert attempt(dag, "t", Supervisor()).final["type"] == "SucceedTask"
