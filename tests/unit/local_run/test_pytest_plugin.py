"""C28-c: the plugin works with plain pytest in a team's repository, without network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.unit.sdk.fresh_python import ROOT

DAG_FILE = """
from airflow.sdk import DAG, Variable, task

with DAG("team", schedule=None) as dag:

    @task
    def read() -> str:
        return Variable.get("who")

    @task
    def greet(who: str) -> str:
        return f"Hello, {who}!"

    greet(read())

with DAG("broken", schedule=None):

    @task
    def divide() -> float:
        return 1 / 0

    divide()

with DAG("online", schedule=None):

    @task
    def call() -> None:
        import socket

        socket.create_connection(("192.0.2.1", 80), timeout=1)

    call()
"""
TESTS = """
import pytest

def test_the_whole_dag(dag_folder, assert_dag_ok, store):
    store.variables["who"] = "team"
    assert assert_dag_ok(dag_folder["team"]).results["greet"] == "Hello, team!"

def test_one_task(dag_folder, run_task):
    assert run_task(dag_folder["team"].task_dict["greet"], xcoms={"read": "you"}).result == "Hello, you!"

def test_files(load_dags, dag_folder):
    assert not dag_folder.import_errors
    assert sorted(load_dags(dag_folder.path)) == ["broken", "online", "team"]

def test_fails_with_the_authors_line(dag_folder, assert_dag_ok):
    assert_dag_ok(dag_folder["broken"])

def test_network(dag_folder, run_dag):
    assert "allow_network" in str(run_dag(dag_folder["online"]).task("call").exception)
"""


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "orchestrator.sdk.testing.pytest_plugin"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO", "PYTEST", "AIRFLOW"))}
    environment["PYTHONPATH"] = str(ROOT)
    return subprocess.run([*command, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_teams_repository_uses_the_fixtures(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\ndags_folder = flows\n")
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "team.py").write_text(DAG_FILE)
    (tmp_path / "test_team.py").write_text(TESTS)
    done = run_pytest(tmp_path)
    assert "1 failed, 4 passed" in done.stdout, done.stdout + done.stderr
    assert "ZeroDivisionError: division by zero" in done.stdout
    assert "divide failed at try 1" in done.stdout


def test_a_dag_file_runs_as_a_program_where_the_environment_is_linked(tmp_path: Path) -> None:
    """`python dags/file.py` needs only the two lines that `orchestrator.sdk.testing.link` writes."""
    from orchestrator.sdk.testing.link import link

    (tmp_path / "team.py").write_text(DAG_FILE + '\nif __name__ == "__main__":\n    print(dag.test().results)\n')
    lines = link(tmp_path).read_text().splitlines()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(lines), "AIRFLOW_VAR_WHO": "env"}
    command = [sys.executable, str(tmp_path / "team.py")]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip().splitlines()[-1] == "{'read': 'env', 'greet': 'Hello, env!'}", done.stderr
    assert link(tmp_path).read_text().splitlines() == lines


def test_a_run_in_memory_never_loads_django(tmp_path: Path) -> None:
    (tmp_path / "team.py").write_text(DAG_FILE + "\nimport sys\ndag.test()\nprint('django' in sys.modules)\n")
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'orchestrator/sdk/airflow_shim'}",
        "AIRFLOW_VAR_WHO": "x",
    }
    command = [sys.executable, str(tmp_path / "team.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip().splitlines()[-1] == "False", done.stderr
