"""The examples of callbacks and deadlines run as ``docs/callbacks.md`` and ``docs/deadlines.md`` say."""

from __future__ import annotations

from pathlib import Path

from tests.faults.platform import Platform
from tests.faults.rest import Rest
from tests.waiting import wait_until

EXAMPLES = Path(__file__).parents[2] / "dags"


def run_example(platform: Platform, name: str) -> Rest:
    """Run one example to its end; its notes are in the home."""
    platform.deployment.env["AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION"] = "False"
    platform.write_dag((EXAMPLES / f"{name}.py").read_text(), f"{name}.py")
    platform.standalone()
    wait_until(lambda: platform.rows(f"SELECT 1 FROM dags_app_dag WHERE dag_id = '{name}'"), 120, what="the DAG")
    rest = Rest(platform)
    rest.trigger(name)
    platform.wait_finished(name)
    # The scheduler judges deadlines of tasks and groups right after the end of the run, not in its transaction.
    pending = "SELECT COUNT(*) FROM runs_deadline WHERE state = 'pending'"
    wait_until(lambda: platform.rows(pending) == [(0,)], 120, what="the deadlines", interval=0.2)
    open_ones = "SELECT COUNT(*) FROM runs_callback WHERE state IN ('pending', 'running')"
    wait_until(lambda: platform.rows(open_ones) == [(0,)], 120, what="the deliveries", interval=0.2)
    return rest


def test_the_example_of_callbacks_calls_each_of_them_once(platform: Platform) -> None:
    run_example(platform, "example_callbacks")
    # The process of a task calls back after it has reported its end, with which the run may have ended.
    platform.wait_logs("example_callbacks", attempts=4)
    run_id = platform.rows("SELECT run_id FROM runs_dagrun")[0][0]
    found = (platform.deployment.home / "callbacks.txt").read_text().splitlines()
    killed = next(line for line in found if line.startswith("failure: is_killed"))
    assert "signal 9" in killed
    assert sorted(set(found) - {killed}) == sorted([
        "success: succeeds",
        "retry: fails try 1",
        "failure: fails: number 1 is wrong",
        f"run: {run_id} task_failure",
        "notifier: example_callbacks task_failure",
    ])  # fmt: skip
    assert len(found) == 6


def test_the_example_of_deadlines_calls_for_the_run_and_the_task_only(platform: Platform) -> None:
    run_example(platform, "example_deadline")
    states = dict(platform.rows("SELECT task_id || ':' || alert_index, state FROM runs_deadline"))
    assert states == {":0": "missed", "report.slow:0": "missed", "report:1000": "met"}
    found = (platform.deployment.home / "deadlines.txt").read_text().splitlines()
    assert sorted(line.split()[0] for line in found) == ["run", "task"]


ASYNC = """
from datetime import datetime, timedelta
from airflow.sdk import DAG, AsyncCallback, DeadlineAlert, DeadlineReference, Variable, task
from late_notes import late

with DAG("async_deadline", schedule=None, deadline=DeadlineAlert(
    DeadlineReference.FIXED_DATETIME(datetime(2020, 1, 1)), timedelta(0), AsyncCallback(late, {"path": %r})
)):
    @task
    def t():
        pass
    t()
"""
NOTES = """
import asyncio, os

async def late(path, context):
    await asyncio.sleep(0)
    with open(path, "a") as file:
        file.write(f"{context['dag_run']['dag_id']} {sorted(context)} {os.getpid()}\\n")
    return "noted"
"""


def test_an_asynchronous_callback_runs_in_the_triggerer(platform: Platform, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    platform.deployment.env["AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION"] = "False"
    platform.write_dag(NOTES, "late_notes.py")
    platform.write_dag(ASYNC % str(notes), "async_deadline.py")
    platform.standalone()
    wait_until(lambda: platform.rows("SELECT 1 FROM dags_app_dag WHERE dag_id = 'async_deadline'"), 120, what="the DAG")
    Rest(platform).trigger("async_deadline")
    delivered = "SELECT kind, last_output FROM runs_callback WHERE state = 'delivered'"
    wait_until(lambda: platform.rows(delivered), 120, what=f"the callback {platform.report('async_deadline')}", interval=0.2)
    assert platform.rows(delivered) == [("deadline_async", "noted")]
    (line,) = notes.read_text().splitlines()
    assert line.startswith("async_deadline ['dag_run', 'deadline'] ")
    assert platform.rows("SELECT COUNT(*) FROM runs_trigger") == [(0,)]
