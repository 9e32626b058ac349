"""One task alone: results of others are given."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.sdk import DAG, task
from orchestrator.sdk.definitions.connection import Connection
from orchestrator.sdk.operators.bash import BashOperator
from orchestrator.sdk.testing.given import GivenFileError, read_connections, read_variables
from orchestrator.sdk.testing.network import NetworkBlockedError, blocked
from orchestrator.sdk.testing.one_task import AloneError, render_alone, run_alone
from orchestrator.sdk.testing.store import Store
from orchestrator.sdk.testing.table import render
from tests.unit.local_run import dags


def test_a_task_runs_alone_with_the_results_that_it_is_given() -> None:
    dag = dags.mapped(3)
    assert run_alone(dag.task_dict["double"], map_index=2, xcoms={"numbers": [5, 6, 7]}).result == 14
    assert run_alone(dag.task_dict["total"], xcoms={"double[0]": 1, "double[1]": 2}).result == 3


def test_a_failed_attempt_shows_what_would_follow() -> None:
    done = run_alone(dags.retried(9).task_dict["flaky"])
    assert (done.state, type(done.exception)) == ("up_for_retry", ValueError)


def test_a_deferral_is_shown_and_goes_on_with_an_event() -> None:
    one = dags.deferred().task_dict["one"]
    assert run_alone(one).state == "deferred"
    assert (run_alone(one, event={"n": 1}).state, run_alone(one, event={"n": 1}).result) == ("success", {"n": 1})


def test_fields_are_rendered_without_running() -> None:
    with DAG("d") as dag:
        say = BashOperator(task_id="say", bash_command="echo {{ ds }} {{ var.value.v }}")
    fields = render_alone(say, store=Store(variables={"v": 1}), logical_date="2026-01-02")
    assert fields["bash_command"] == "echo 2026-01-02 1"
    assert dag.task_dict["say"].bash_command == "echo {{ ds }} {{ var.value.v }}"


def test_a_task_without_a_dag_is_refused() -> None:
    with pytest.raises(AloneError, match="in no DAG"):
        run_alone(BashOperator(task_id="say", bash_command="true"))


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("v.json", "[1]", "list"),
        ("v.json", "{", "not JSON"),
        ("v.txt", "a", "ends in .txt"),
        ("none.json", None, "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Any, name: str, text: str | None, wrong: str) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(GivenFileError, match=wrong):
        read_variables(tmp_path / name)


def test_env_files_and_every_form_of_a_connection_are_read(tmp_path: Any) -> None:
    (tmp_path / ".env").write_text("# comment\na=http://h:1/\n")
    assert read_connections(tmp_path / ".env")["a"]["port"] == 1
    store = Store(connections={"b": Connection(conn_id="b", host="x"), "c": '{"conn_type": "http", "host": "y"}'})
    assert (store.connections["b"]["host"], store.connections["c"]["host"]) == ("x", "y")


def test_the_network_is_blocked_with_a_sentence() -> None:
    import socket

    with blocked(), pytest.raises(NetworkBlockedError, match=r"allow_network\('192.0.2.1'\)"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    left, right = socket.socketpair()
    with blocked():
        left.sendall(b"x")
    assert right.recv(1) == b"x"
    left.close()
    right.close()


def test_rows_are_printed_in_four_forms() -> None:
    rows = [{"dag_id": "a", "owner": ["x", "y"]}, {"dag_id": "long", "owner": None}]
    assert render(rows) == "dag_id | owner\n=======+======\na      | x,y\nlong   | None"
    assert render(rows, "plain") == "dag_id  owner\na       x,y\nlong    None"
    assert render(rows, "json") == '[{"dag_id": "a", "owner": ["x", "y"]}, {"dag_id": "long", "owner": null}]'
    assert render(rows[1:], "yaml") == "- dag_id: long\n  owner: null"
    assert render([]) == "No data found"


def test_a_task_of_a_function_runs_alone_by_its_result() -> None:
    with DAG("d"):

        @task
        def f(x: int) -> int:
            return x + 1

        found = f(1)
    assert run_alone(found).result == 2
