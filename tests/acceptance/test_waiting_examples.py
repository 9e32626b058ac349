"""The examples of waiting run on the real platform: for people, and for conditions in every mode."""

from __future__ import annotations

from typing import Any

from tests.faults.platform import Platform
from tests.faults.rest import Rest
from tests.oracle import REPOSITORY
from tests.waiting import wait_until

ANSWERS: dict[str, dict[str, Any]] = {
    "amount": {"chosen_options": ["OK"], "params_input": {"amount": 7}},
    "approval": {"chosen_options": ["Approve"]},
    "way": {"chosen_options": ["Cash"]},
}


def start(platform: Platform, name: str, dag_id: str) -> tuple[Rest, str]:
    """Run one of our example files in ``standalone``; returns the REST client and the run."""
    platform.deployment.env["AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION"] = "False"
    (platform.deployment.dags / name).write_bytes((REPOSITORY / "dags" / name).read_bytes())
    platform.standalone()
    rest = Rest(platform)
    wait_until(lambda: platform.rows("SELECT dag_id FROM dags_app_dag"), 120, what=f"the DAG of {name}")
    return rest, rest.trigger(dag_id)


def states(platform: Platform, dag_id: str) -> dict[str, str]:
    query = f"SELECT task_id, map_index, state FROM runs_taskinstance WHERE dag_id = '{dag_id}'"
    return {task if index < 0 else f"{task}[{index}]": state for task, index, state in platform.rows(query)}


def test_people_decide_in_the_example_of_questions(platform: Platform) -> None:
    rest, run_id = start(platform, "example_hitl.py", "example_hitl")
    run = f"/api/v2/dags/example_hitl/dagRuns/{run_id}"
    for task_id, answer in ANSWERS.items():
        wait_until(
            lambda t=task_id: states(platform, "example_hitl").get(t) == "awaiting_input", 120, what=f"the question of {task_id}"
        )
        rest.call("PATCH", f"{run}/taskInstances/{task_id}/-1/hitlDetails", answer)
    assert platform.wait_run("example_hitl", run_id) == "success", platform.report("example_hitl")
    expected = dict.fromkeys(("amount", "approval", "way", "cash", "colour[0]", "colour[1]"), "success")
    assert states(platform, "example_hitl") == expected | {"bank": "skipped"}


def test_every_way_to_wait_of_the_example_of_sensors_ends(platform: Platform) -> None:
    _, run_id = start(platform, "example_sensors.py", "example_sensors_tour")
    assert platform.wait_run("example_sensors_tour", run_id) == "success", platform.report("example_sensors_tour")
    found = states(platform, "example_sensors_tour")
    assert found.pop("never") == "skipped"
    assert set(found.values()) == {"success"}
