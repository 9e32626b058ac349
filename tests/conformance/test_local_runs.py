"""Airflow's example DAGs run in memory end as they ended in the recorded Airflow: states, tries, XComs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.example_files import example_folder
from tests.oracle import oracle_json
from tests.unit.sdk.fresh_python import ROOT

# All runs are made once, and each worker would make them for itself.
pytestmark = pytest.mark.xdist_group("local runs")

#: DAGs that are not compared, and why.
LEFT_OUT = {
    "example_external_task": "waits for runs of other DAGs, which are noted but not run in memory",
    "example_branch_operator": "random, and needs virtual environments",
    "example_branch_dop_operator_v3": "depends on the minute of the clock",
    "example_dag_decorator": "needs the internet",
    "example_branch_python_operator_decorator": "random, and needs virtual environments",
    "example_task_state_store_async": "failed in the recording, for lack of asynchronous calls that are there here",
}
#: Tasks that were still waiting when the recording ended (the clock of a run in memory leaps to their end), and one that
#: waits for a time of day an hour from now, which is past in the last hour of a day.
STILL_WAITING = {"example_sensors": {"timeout_after_second_date_in_the_future_async", "timeout_after_second_date_in_the_future"}}

#: Of these two tasks one runs: which one is decided by the time of day.
BY_THE_HOUR = {"example_branch_datetime_operator_2": {"date_in_range", "date_outside_range"}}

#: A sensor that looks for a Monday, soft-fails where it is none, and so depends on the day.
BY_THE_DAY = {"example_sensors": {"week_day_sensor_failing_on_timeout"}}
#: Days (of datetime.weekday) on which a run in memory, whose clock leaps, may have seen a Monday.
NEAR_MONDAY = {6, 0, 1}


@cache
def ours(stubs: str) -> dict[str, Any]:
    for name in ("httpx", "requests"):
        (Path(stubs) / f"{name}.py").touch()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), stubs])}
    command = [sys.executable, "-m", "tests.conformance.local_runs", str(example_folder()), *wanted()]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


def wanted() -> list[str]:
    return sorted(oracle_json("runs_golden.json")["plain"].keys() - LEFT_OUT.keys())


def instances(recorded: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Recorded task instances by ``task`` or ``task[index]``."""
    found: dict[str, tuple[Any, Any]] = {}
    for task_id, shown in recorded["tis"].items():
        by_index = {"-1": shown} if "state" in shown else shown
        for index, item in by_index.items():
            found[task_id if index == "-1" else f"{task_id}[{index}]"] = (item["state"], item["try_number"])
    return found


def whatever_the_hour(dag_id: str, items: dict[str, tuple[Any, Any]]) -> dict[str, Any]:
    """Return the items with those that the hour may exchange as one, and without those that the day decides."""
    names = BY_THE_HOUR.get(dag_id, set())
    day = BY_THE_DAY.get(dag_id, set()) if datetime.now(UTC).weekday() in NEAR_MONDAY else set()
    rest: dict[str, Any] = {name: item for name, item in items.items() if name not in names | day}
    of_the_day = all(items[name] in {("success", 1), ("skipped", 1)} for name in day)
    return rest | {"one of two": sorted(items[name] for name in names), "of the day": of_the_day}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return ours(str(tmp_path_factory.mktemp("stubs")))


@pytest.mark.parametrize("dag_id", wanted())
def test_states_tries_and_xcom_keys_are_those_of_airflow(ran: dict[str, Any], dag_id: str) -> None:
    recorded, found = oracle_json("runs_golden.json")["plain"][dag_id], ran[dag_id]
    assert "error" not in found, found
    waiting = STILL_WAITING.get(dag_id, set())
    got = {name: (item["state"], item["try_number"]) for name, item in found["tis"].items() if name not in waiting}
    asked = {name: item for name, item in instances(recorded).items() if name not in waiting}
    assert whatever_the_hour(dag_id, got) == whatever_the_hour(dag_id, asked)
    if not waiting:
        assert found["state"] == recorded["state"]
    assert {task: set(keys) for task, keys in found["xcom"].items()} == {t: set(keys) for t, keys in recorded["xcom"].items()}
