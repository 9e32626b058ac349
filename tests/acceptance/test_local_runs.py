"""C28-c: a run in memory ends as the same run ends in ``standalone``: states, tries and XComs of every task instance."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tests.faults.platform import Platform
from tests.faults.rest import Rest
from tests.oracle import REPOSITORY
from tests.unit.sdk.fresh_python import run_python
from tests.waiting import wait_until

EXAMPLES = ("example_hello", "example_local_test", "example_branch", "example_wait")
FEATURES = """
from airflow.sdk import DAG
from features import assets, branching, deferred_events, mapped, mapped_group, retried, setup_and_teardown

made = [assets(), branching(), deferred_events(), mapped(3), mapped_group(), retried(3, 0), setup_and_teardown()]
for dag in made:
    globals()[dag.dag_id] = dag
"""
FEATURE_DAGS = ("assets", "branching", "deferred_events", "mapped", "mapped_group", "retried", "rooms")
LOCAL = """
import json, sys
from orchestrator.local_run.dag_test import run_dag
from orchestrator.sdk.testing.dag_folder import load_folder
folder = load_folder({folder!r})
found = {{}}
for dag_id, (run_id, date) in {runs!r}.items():
    result = run_dag(folder[dag_id], run_id=run_id, logical_date=date)
    tis = {{item.label: [item.state, item.try_number] for item in result.tasks}}
    xcoms = {{}}
    for (_, _, task_id, index, key), item in result.store.xcoms.items():
        xcoms[f"{{task_id}} {{index}} {{key}}"] = item.value
    found[dag_id] = [result.state, tis, xcoms]
print(json.dumps(found))
"""


def deployed(platform: Platform, dag_id: str, run_id: str) -> list[Any]:
    """State of the run, states and tries of its task instances, its XComs."""
    where = f"WHERE dag_id = '{dag_id}' AND run_id = '{run_id}'"
    state = platform.rows(f"SELECT state FROM runs_dagrun {where}")[0][0]
    rows = platform.rows(f"SELECT task_id, map_index, state, try_number FROM runs_taskinstance {where}")
    tis = {task if index < 0 else f"{task}[{index}]": [end, tries] for task, index, end, tries in rows}
    pushed = platform.rows(f"SELECT task_id, map_index, key, value FROM runs_xcom {where}")
    return [state, tis, {f"{task} {index} {key}": json.loads(value) for task, index, key, value in pushed}]


def put_files(folder: Path) -> None:
    shutil.copy(REPOSITORY / "tests" / "unit" / "local_run" / "dags.py", folder / "features.py")
    (folder / "feature_dags.py").write_text(FEATURES)
    for name in EXAMPLES:
        shutil.copy(REPOSITORY / "dags" / f"{name}.py", folder / f"{name}.py")


def test_runs_in_memory_end_as_runs_of_the_platform(platform: Platform) -> None:
    platform.deployment.env["AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION"] = "False"
    platform.deployment.env["PYTHONPATH"] = str(REPOSITORY)
    put_files(platform.deployment.dags)
    platform.standalone()
    rest, wanted = Rest(platform), [*EXAMPLES, *FEATURE_DAGS]
    known = "SELECT dag_id FROM dags_app_dag"
    wait_until(lambda: {dag for (dag,) in platform.rows(known)} == set(wanted), 120, what=f"the DAGs {wanted}")
    runs = {dag_id: rest.trigger(dag_id) for dag_id in wanted}
    for dag_id, run_id in runs.items():
        platform.wait_run(dag_id, run_id)
    dates = dict(platform.rows("SELECT dag_id, logical_date FROM runs_dagrun"))
    ordered = {dag_id: (run_id, f"{dates[dag_id]}".split("+")[0] + "+00:00") for dag_id, run_id in runs.items()}
    local = run_python(LOCAL.format(folder=str(platform.deployment.dags), runs=ordered))
    for dag_id, run_id in runs.items():
        assert local[dag_id] == deployed(platform, dag_id, run_id), dag_id
