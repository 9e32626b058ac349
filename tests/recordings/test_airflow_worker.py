"""Airflow's own Task SDK, in its own Python, runs tasks of this platform (`[workers] airflow_python`, by queue)."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deployment import Deployment, Template
from tests.recordings.venvs import python_with
from tests.waiting import wait_until

# The first test installs what it needs from PyPI, starts a platform and awaits the ends of runs, each with a limit of its own.
pytestmark = pytest.mark.timeout(1800)

PACKAGES = ["apache-airflow-task-sdk==1.3.2", "apache-airflow==3.3.2", "apache-airflow-providers-standard==1.21.0"]
RUN = "/api/v2/dags/airflow_worker/dagRuns/one"


def ask(deployment: Deployment, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(deployment.url + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def dag_is_there(deployment: Deployment) -> bool:
    try:
        return any(dag["dag_id"] == "airflow_worker" for dag in ask(deployment, "/api/v2/dags")["dags"])
    except OSError:
        return False


@pytest.fixture(scope="module")
def finished(deployment_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Return a platform on which the DAG ran to its end under Airflow's worker."""
    made = deployment_template.copy(tmp_path_factory.mktemp("worker") / "home")
    made.env |= {
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__WORKERS__AIRFLOW_PYTHON": json.dumps({"default": str(python_with(*PACKAGES))}),
        "AIRFLOW_CONN_GOLDEN": "http://somebody@example.org",
    }
    shutil.copy(Path(__file__).parent / "worker_dag.py", made.dags)
    made.start("standalone")
    try:
        wait_until(lambda: dag_is_there(made), 240, what="the DAG", interval=0.2)
        ask(made, "/api/v2/dags/airflow_worker/dagRuns", {"logical_date": None, "dag_run_id": "one"})
        wait_until(lambda: ask(made, RUN)["state"] in ("success", "failed"), 240, what="the end of the run", interval=0.5)
        yield made
    finally:
        deployment_template.drop(made)


def value_of(deployment: Deployment, task_id: str) -> Any:
    return ask(deployment, f"{RUN}/taskInstances/{task_id}/xcomEntries/return_value")["value"]


def test_success_failure_retry_mapping_deferral_and_reschedule_end_as_under_airflow(finished: Deployment) -> None:
    rows = ask(finished, f"{RUN}/taskInstances?limit=100")["task_instances"]
    found = {(row["task_id"], row["map_index"]): (row["state"], row["try_number"]) for row in rows}
    once = ("success", 1)
    assert found == {
        ("extract", -1): once,
        ("double", 0): once,
        ("double", 1): once,
        ("double", 2): once,
        ("total", -1): once,
        ("flaky", -1): ("success", 2),
        ("fails", -1): ("failed", 1),
        ("vault", -1): once,
        ("poke", -1): once,
        ("wait", -1): once,
        ("native", -1): once,
    }
    assert ask(finished, RUN)["state"] == "failed"


def test_xcoms_variables_and_connections_go_through_the_execution_api(finished: Deployment) -> None:
    assert [value_of(finished, name) for name in ("total", "flaky", "poke")] == [12, 2, 1]
    assert value_of(finished, "vault") == ["yes", "example.org", "somebody"]


def test_the_log_of_airflows_worker_is_served(finished: Deployment) -> None:
    lines = ask(finished, f"{RUN}/taskInstances/extract/logs/1")["content"]
    events = [str(line.get("event", "")) for line in lines]
    assert any("airflow/sdk/execution_time/supervisor" in event for event in events)


def test_a_queue_without_an_entry_stays_with_our_own_workers(finished: Deployment) -> None:
    assert value_of(finished, "native") == ["orchestrator.sdk"]
