"""Airflow's own Task SDK gets an answer to all that it can ask: assets, stores, people, other runs, earlier runs, slices."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deployment import Deployment, Template
from tests.recordings.test_airflow_worker import PACKAGES, ask
from tests.recordings.venvs import python_with
from tests.waiting import wait_until

# The first test installs what it needs from PyPI, starts a platform and awaits the ends of runs, each with a limit of its own.
pytestmark = pytest.mark.timeout(1800)

DAGS = ("worker_assets", "worker_flow", "worker_child", "worker_runs", "worker_previous")
RUNS = {
    ("worker_previous", "first"): "2026-01-05",
    ("worker_assets", "one"): "2026-01-05",
    ("worker_flow", "one"): "2026-01-05",
    ("worker_runs", "one"): "2026-01-05",
    ("worker_previous", "second"): "2026-01-06",
}


def known_dags(deployment: Deployment) -> set[str]:
    try:
        return {dag["dag_id"] for dag in ask(deployment, "/api/v2/dags")["dags"]}
    except OSError:
        return set()


def is_over(deployment: Deployment, dag_id: str, run_id: str) -> bool:
    return ask(deployment, f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"] in ("success", "failed")


@pytest.fixture(scope="module")
def finished(deployment_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Return a platform on which all runs came to their end under Airflow's worker."""
    made = deployment_template.copy(tmp_path_factory.mktemp("asks") / "home")
    made.env |= {
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__WORKERS__AIRFLOW_PYTHON": json.dumps({"default": str(python_with(*PACKAGES))}),
    }
    shutil.copy(Path(__file__).parent / "worker_asks_dag.py", made.dags)
    made.start("standalone")
    try:
        wait_until(lambda: known_dags(made) >= set(DAGS), 240, what="the DAGs", interval=0.2)
        for (dag_id, run_id), day in RUNS.items():
            body = {"logical_date": f"{day}T00:00:00Z", "dag_run_id": run_id}
            ask(made, f"/api/v2/dags/{dag_id}/dagRuns", body)
            if run_id == "first":
                wait_until(lambda: is_over(made, "worker_previous", "first"), 120, what="the first run", interval=0.5)
        for dag_id, run_id in RUNS:
            wait_until(lambda d=dag_id, r=run_id: is_over(made, d, r), 300, what=f"{dag_id} {run_id}", interval=0.5)  # type: ignore[misc]
        yield made
    finally:
        deployment_template.drop(made)


def states(deployment: Deployment, dag_id: str) -> dict[str, Any]:
    """State and try of each task of the run ``one``."""
    rows = ask(deployment, f"/api/v2/dags/{dag_id}/dagRuns/one/taskInstances?limit=100")["task_instances"]
    return {row["task_id"]: (row["state"], row["try_number"]) for row in rows}


def log_of(deployment: Deployment, dag_id: str, task_id: str) -> str:
    """The end of the log of the first try."""
    return json.dumps(ask(deployment, f"/api/v2/dags/{dag_id}/dagRuns/one/taskInstances/{task_id}/logs/1")["content"][-4:])


def value(deployment: Deployment, dag_id: str, task_id: str, run_id: str = "one") -> Any:
    path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value?deserialize=true"
    return ask(deployment, path)["value"]


def test_asset_events_and_both_stores_are_written_and_read(finished: Deployment) -> None:
    assert states(finished, "worker_assets") == {
        "produce": ("success", 1),
        "consume": ("success", 1),
        "beside_asset": ("success", 1),
        "beside_task": ("success", 2),
    }, log_of(finished, "worker_assets", "consume")
    assert value(finished, "worker_assets", "consume")[:3] == [7, "produce", [8]]
    assert value(finished, "worker_assets", "beside_asset") == [{"at": 1}, "nothing"]
    assert value(finished, "worker_assets", "beside_task") == ["submitted", None]


def test_branches_policies_deferral_timeouts_and_questions_end_as_under_airflow(finished: Deployment) -> None:
    once = ("success", 1)
    assert states(finished, "worker_flow") == {
        "numbers": once,
        "sequence": once,
        "choose": once,
        "left": once,
        "right": ("skipped", 0),
        "stop": once,
        "stopped": ("skipped", 0),
        "no_retry": ("failed", 1),
        "one_retry": ("success", 2),
        "variables": once,
        "late": ("failed", 1),
        "ask": once,
    }
    assert value(finished, "worker_flow", "ask")["chosen_options"] == ["yes"]
    assert value(finished, "worker_flow", "variables") == [["asked_a", "asked_b"], "nothing"]


def test_a_mapped_value_is_read_by_index_and_by_slice(finished: Deployment) -> None:
    assert value(finished, "worker_flow", "sequence") == [3, 3, 5, [4, 5], [5, 4, 3], [3, 4, 5]]


def test_a_task_triggers_resets_awaits_and_reads_another_run(finished: Deployment) -> None:
    assert set(states(finished, "worker_runs").values()) == {("success", 1)}
    assert value(finished, "worker_runs", "reads") == {
        "state": "success",
        "runs": 1,
        "tasks": 1,
        "states": {"child_2026-01-05": {"done": "success"}},
        "crumbs": ["done"],
        "dag": "worker_child",
    }


def test_earlier_runs_and_their_task_instances_are_found(finished: Deployment) -> None:
    assert value(finished, "worker_previous", "previous", "first") == [None, None, None, "No", "None"]
    assert value(finished, "worker_previous", "previous", "second") == ["first", "first", "success", "20", "2026-01-05"]
