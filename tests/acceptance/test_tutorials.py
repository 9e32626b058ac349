"""Airflow's tutorial DAGs run green in ``standalone``, unmodified.

Left out: ``tutorial_objectstorage`` asks a weather service on the internet and needs requests, pandas and duckdb, which are
not part of the platform.
"""

from tests.conformance.example_files import copy_examples
from tests.faults.platform import Platform
from tests.faults.rest import Rest
from tests.waiting import wait_until

FILES = [
    "tutorial.py",
    "tutorial_dag.py",
    "tutorial_taskflow_api.py",
    "tutorial_taskflow_api_virtualenv.py",
    "tutorial_taskflow_templates.py",
    "sql/tutorial_taskflow_template.sql",
]
DAGS = {"tutorial", "tutorial_dag", "tutorial_taskflow_api", "tutorial_taskflow_api_virtualenv", "tutorial_taskflow_templates"}


def test_the_tutorial_dags_run_green(platform: Platform) -> None:
    platform.deployment.env["AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION"] = "False"
    copy_examples(FILES, platform.deployment.dags)
    platform.standalone()
    rest = Rest(platform)
    known = "SELECT dag_id FROM dags_app_dag"
    wait_until(lambda: {dag for (dag,) in platform.rows(known)} == DAGS, 120, what=f"the DAGs {sorted(DAGS)} and no others")
    runs = {dag_id: rest.trigger(dag_id) for dag_id in sorted(DAGS)}
    for dag_id, run_id in runs.items():
        assert platform.wait_run(dag_id, run_id) == "success", platform.report(dag_id)
    assert platform.rows("SELECT filename, stacktrace FROM dags_app_parseimporterror") == []
