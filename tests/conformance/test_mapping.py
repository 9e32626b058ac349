"""Mapped tasks end as in Airflow 3.3.2: `data/mapping_dags.py` ran there with `dag.test()`, `data/mapping_golden.json` is what it left.

`rendered_map_index` is recorded as REST shows it to people: the label, else the index.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.faults.platform import Platform
from tests.faults.rest import Rest
from tests.waiting import wait_until

DATA = Path(__file__).parent / "data"
ADDRESS = re.compile(r" at 0x[0-9a-f]+")

pytestmark = pytest.mark.xdist_group("faults")


@pytest.fixture
def platform(platform: Platform) -> Platform:
    platform.deployment.env["AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION"] = "False"
    shutil.copy(DATA / "mapping_dags.py", platform.deployment.dags)
    platform.standalone()
    return platform


def outcome(platform: Platform, rest: Rest, dag_id: str, run_id: str) -> dict[str, Any]:
    """Return what a finished run left, in the form of the recording."""
    of_run = f"dag_id = '{dag_id}' AND run_id = '{run_id}'"
    found: dict[str, Any] = {"tis": {}, "xcom": {}, "rendered": {}}
    path = f"/api/v2/dags/{dag_id}/dagRuns/{quote(run_id)}/taskInstances?limit=100"
    for ti in rest.call("GET", path)["task_instances"]:
        task_id, index = ti["task_id"], str(ti["map_index"])
        found["tis"].setdefault(task_id, {})[index] = [ti["state"], ti["rendered_map_index"], ti["task_display_name"]]
        found["rendered"].setdefault(task_id, {})[index] = ti["rendered_fields"]
    for task_id, index, key, value in platform.rows(f"SELECT task_id, map_index, key, value FROM runs_xcom WHERE {of_run}"):
        found["xcom"].setdefault(task_id, {}).setdefault(key, {})[str(index)] = json.loads(value)
    return found


def facts(run: dict[str, Any]) -> dict[tuple[str, ...], str]:
    """Return every fact of a run by its place."""
    listed: dict[tuple[str, ...], Any] = {}
    for task_id, indexes in run["tis"].items():
        listed |= {("task instance", task_id, index): value for index, value in indexes.items()}
    for task_id, keys in run["xcom"].items():
        listed |= {("xcom", task_id, key, i): value for key, values in keys.items() for i, value in values.items()}
    for task_id, indexes in run["rendered"].items():
        listed |= {("rendered", task_id, index): value for index, value in indexes.items() if value}
    return {place: ADDRESS.sub("", json.dumps(value, sort_keys=True)) for place, value in listed.items()}


def test_every_mapped_dag_ends_as_in_airflow(platform: Platform) -> None:
    """States, map indexes, labels, XComs and rendered fields of all runs are those of Airflow."""
    recorded = json.loads((DATA / "mapping_golden.json").read_text())
    rest = Rest(platform)
    known = "SELECT dag_id FROM dags_app_dag"
    wait_until(lambda: {name for (name,) in platform.rows(known)} == set(recorded), 60, what="the mapping DAGs and no others")
    date = {"logical_date": "2026-01-05T06:00:00Z"}
    runs = {dag_id: rest.call("POST", f"/api/v2/dags/{dag_id}/dagRuns", date)["dag_run_id"] for dag_id in sorted(recorded)}
    states = {dag_id: platform.wait_run(dag_id, run_id, 120) for dag_id, run_id in runs.items()}
    wrong: list[str] = []
    count = 0
    for dag_id, run_id in runs.items():
        wanted, got = facts(recorded[dag_id]), facts(outcome(platform, rest, dag_id, run_id))
        count += len(wanted)
        wrong += [f"{dag_id} {place}: {wanted.get(place)} != {got.get(place)}" for place in sorted(wanted.keys() | got.keys()) if wanted.get(place) != got.get(place)]  # fmt: skip
    assert states == {dag_id: run["state"] for dag_id, run in recorded.items()}
    assert count > 500
    assert wrong == []
