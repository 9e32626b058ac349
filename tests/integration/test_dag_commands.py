"""C28-c, C28-d: the commands ``dags``, ``tasks`` and ``check_dags``."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from runs.models import Pool
from tests.factories import make_dag
from vault.services import variable_set

DAG_FILE = """
from airflow.sdk import DAG, Variable, task
from airflow.providers.standard.operators.bash import BashOperator

with DAG("cmd", schedule=None) as dag:
    @task
    def numbers() -> list[int]:
        return [1, 2]

    @task
    def show(x: int, params=None) -> str:
        return f"{x} {params.get('a')} {Variable.get('v', default='-')}"

    show.expand(x=numbers())
    BashOperator(task_id="say", bash_command="echo {{ ds }} {{ var.value.get('v', '-') }}")
"""

pytestmark = pytest.mark.django_db


def run(*arguments: Any) -> str:
    out = StringIO()
    call_command(*map(str, arguments), stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.fixture
def dags(airflow_home: Path) -> Any:
    file = airflow_home / "dags" / "cmd.py"
    file.write_text(DAG_FILE)
    yield file
    file.unlink()


def test_a_dag_runs_with_the_variables_of_the_database(dags: Path, capfd: pytest.CaptureFixture[str]) -> None:
    variable_set("v", "stored")
    run("dags", "test", "cmd", "2026-01-02", "-c", '{"a": 7}')
    shown = capfd.readouterr().err
    assert "'1 7 stored'" in shown
    assert "'2026-01-02 stored'" in shown


def test_a_failed_run_ends_the_command_with_1(dags: Path) -> None:
    dags.write_text(DAG_FILE.replace("return [1, 2]", "raise ValueError('no')"))
    with pytest.raises(SystemExit) as error:
        run("dags", "test", "cmd", "-f", dags)
    assert error.value.code == 1


def test_tasks_are_listed_rendered_and_run_alone(dags: Path) -> None:
    assert run("tasks", "list", "cmd").split() == ["numbers", "say", "show"]
    assert "echo 2026-01-02 -" in run("tasks", "render", "cmd", "say", "2026-01-02")
    assert "return_value: '2026-01-02 -'" in run("tasks", "test", "cmd", "say", "2026-01-02")
    with pytest.raises(CommandError, match="--map-index"):
        run("tasks", "test", "cmd", "show")
    with pytest.raises(CommandError, match="it has numbers"):
        run("tasks", "test", "cmd", "nothing")


def test_dags_are_listed_from_the_database_and_from_the_files(dags: Path) -> None:
    make_dag("stored", owners="me")
    assert json.loads(run("dags", "list", "-o", "json", "--columns", "dag_id,owner")) == [{"dag_id": "stored", "owner": "me"}]
    assert json.loads(run("dags", "list", "-l", "-o", "json", "--columns", "dag_id")) == [{"dag_id": "cmd"}]
    with pytest.raises(CommandError, match="no columns nope"):
        run("dags", "list", "--columns", "nope")


def test_files_that_cannot_be_imported_are_listed(dags: Path) -> None:
    assert run("dags", "list-import-errors", "-l").strip() == "No data found"
    dags.write_text("import airflow.sdk, nothing_of_that_name  # dag")
    with pytest.raises(SystemExit):
        run("dags", "list-import-errors", "-l")


def test_a_dag_is_drawn(dags: Path, tmp_path: Path) -> None:
    assert '"numbers" -> "show"' in run("dags", "show", "cmd")
    run("dags", "show", "cmd", "-s", tmp_path / "cmd.dot")
    assert (tmp_path / "cmd.dot").read_text().startswith('digraph "cmd"')
    with pytest.raises(CommandError, match="dot -Tpng"):
        run("dags", "show", "cmd", "-s", tmp_path / "cmd.png")


def test_an_unknown_dag_or_date_is_refused_with_a_sentence(dags: Path) -> None:
    with pytest.raises(CommandError, match="'nope' could not be found"):
        run("dags", "test", "nope")
    with pytest.raises(CommandError, match="no date"):
        run("dags", "test", "cmd", "someday")
    with pytest.raises(CommandError, match="--conf is no JSON"):
        run("dags", "test", "cmd", "-c", "{")


def test_check_dags_knows_the_pools_of_the_database(dags: Path) -> None:
    dags.write_text(DAG_FILE.replace('task_id="say"', 'task_id="say", pool="mine"'))
    with pytest.raises(SystemExit) as error:
        run("check_dags", dags)
    assert error.value.code == 1
    Pool.objects.create(pool="mine", slots=1)
    assert run("check_dags", dags, "-o", "json") == json.dumps({"files": 1, "dags": 1, "findings": []}, indent=2) + "\n"
