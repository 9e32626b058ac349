"""Airflow's own example plugins, unmodified, and ours do in a running platform what they say."""

from __future__ import annotations

import shutil

from tests.conformance.example_files import example_folder
from tests.faults.platform import Platform
from tests.faults.rest import Rest
from tests.oracle import REPOSITORY
from tests.waiting import wait_until

DAG = """
from airflow.sdk import DAG, task
from airflow.example_dags.plugins.decreasing_priority_weight_strategy import DecreasingPriorityStrategy

with DAG("heard", schedule=None):

    @task(weight_rule=DecreasingPriorityStrategy())
    def t():
        print("the task itself")

    t()
"""


def prepare(platform: Platform) -> None:
    """Let Airflow's example files be found, as where its package is installed; example plugins come with the examples."""
    platform.deployment.env |= {
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "True",
        "PYTHONPATH": str(example_folder()),
    }


def attempt_log(platform: Platform, dag_id: str) -> str:
    return "\n".join(path.read_text() for path in (platform.deployment.logs / f"dag_id={dag_id}").rglob("*.log"))


def told_of_runs(platform: Platform, rest: Rest) -> str:
    """Have another run, and return what the listeners of runs have printed so far."""
    platform.wait_run("heard", rest.trigger("heard"))
    return "".join(path.read_text() for path in (platform.deployment.logs / "dag_processor").rglob("listeners.log"))


def test_airflows_listener_and_weight_plugins_work_unmodified(platform: Platform) -> None:
    prepare(platform)
    platform.write_dag(DAG, "heard.py")
    shutil.copy(example_folder() / "airflow/example_dags/example_workday_timetable.py", platform.deployment.dags)
    platform.standalone()
    wait_until(lambda: platform.rows("SELECT 1 FROM dags_app_dag WHERE dag_id = 'heard'"), 120, what="the DAG")
    rest = Rest(platform)
    run_id = rest.trigger("heard")
    assert platform.wait_run("heard", run_id) == "success", platform.report("heard")
    assert platform.rows("SELECT priority_weight FROM runs_taskinstance WHERE dag_id = 'heard'") == [(4,)]
    # The listener is told after the task has reported its end.
    platform.wait_logs("heard", attempts=1)
    log = attempt_log(platform, "heard")
    assert "Task instance in success state" in log
    assert "Task instance is in running state" in log and "Dag name:heard" in log
    wait_until(lambda: "Dag run in success state" in told_of_runs(platform, rest), 120, what="the listener of runs")
    assert "Dag run  in running state" in told_of_runs(platform, rest)
    names = {plugin["name"] for plugin in rest.call("GET", "/api/v2/plugins")["plugins"]}
    assert {"MetadataCollectionPlugin", "decreasing_priority_weight_strategy_plugin", "workday_timetable_plugin"} <= names
    assert rest.call("GET", "/api/v2/plugins/importErrors")["import_errors"] == []
    assert platform.rows("SELECT filename, stacktrace FROM dags_app_parseimporterror") == []


def test_our_example_gives_each_try_its_weight(platform: Platform) -> None:
    shutil.copytree(REPOSITORY / "plugins", platform.deployment.home / "plugins", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "dags" / "example_custom_weight.py", platform.deployment.dags)
    platform.deployment.env["AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION"] = "False"
    platform.standalone()
    known = "SELECT 1 FROM dags_app_dag WHERE dag_id = 'example_custom_weight'"
    wait_until(lambda: platform.rows(known), 120, what="the example")
    run_id = Rest(platform).trigger("example_custom_weight")
    assert platform.wait_run("example_custom_weight", run_id) == "success", platform.report("example_custom_weight")
    assert platform.rows("SELECT try_number, priority_weight FROM runs_taskinstance") == [(2, 9)]
    assert platform.rows("SELECT try_number, priority_weight FROM runs_taskinstancehistory") == [(1, 10)]
