"""Deferred tasks on the real platform: they resume, also when the triggerer is killed in the middle (C15)."""

import os
import signal

from tests.faults.platform import Platform
from tests.waiting import wait_until

DAG = """
import datetime as dt
from airflow.sdk import DAG, BaseOperator
from airflow.providers.standard.sensors.date_time import DateTimeSensorAsync
from airflow.providers.standard.sensors.filesystem import FileSensor
from airflow.providers.standard.sensors.time_delta import TimeDeltaSensor, TimeDeltaSensorAsync
from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger


class Defers(BaseOperator):
    def __init__(self, seconds, classpath=None, timeout=None, **kwargs):
        super().__init__(**kwargs)
        self.seconds, self.classpath, self.timeout = seconds, classpath, timeout

    def execute(self, context):
        trigger = TimeDeltaTrigger(dt.timedelta(seconds=self.seconds))
        if self.classpath:
            trigger.serialize = lambda: (self.classpath, {"a": 1})
        self.defer(trigger=trigger, method_name="resumed", kwargs={"mine": "kept"}, timeout=self.timeout)

    def resumed(self, context, event=None, mine=None):
        assert isinstance(event, dt.datetime), event
        print("resumed with", mine)
        return mine


"""

KINDS = (
    DAG
    + """
with DAG("kinds", schedule="@once", is_paused_upon_creation=False):
    Defers(task_id="own", seconds=0.2)
    TimeDeltaSensorAsync(task_id="delta_async", delta=dt.timedelta(seconds=1))
    TimeDeltaSensor(task_id="delta_ended_by_trigger", delta=dt.timedelta(seconds=1), deferrable=True, end_from_trigger=True)
    DateTimeSensorAsync(task_id="moment", target_time=dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1))
    DateTimeSensorAsync(task_id="never_on_a_worker", target_time=dt.datetime(2020, 1, 1, tzinfo=dt.UTC), start_from_trigger=True)
    FileSensor(task_id="file", filepath=__file__, deferrable=True, poke_interval=0.2)
    Defers(task_id="not_importable", seconds=0, classpath="no_such.Trigger")
    Defers(task_id="too_late", seconds=3600, timeout=dt.timedelta(seconds=1))
"""
)

# They wait for a file and for no time, so that all of them wait together however slow the machine is.
WAITS = """
from airflow.sdk import DAG
from airflow.providers.standard.sensors.filesystem import FileSensor

with DAG("waits", schedule="@once", is_paused_upon_creation=False, max_active_tasks=64):
    for number in range(30):
        FileSensor(task_id=f"wait_{{number:02}}", filepath={gate!r}, deferrable=True, poke_interval=0.2)
"""


def test_waits_of_all_kinds_end_as_in_airflow(platform: Platform) -> None:
    platform.deployment.env["AIRFLOW__SCHEDULER__TRIGGER_TIMEOUT_CHECK_INTERVAL"] = "0.5"
    platform.deployment.env["AIRFLOW_CONN_FS_DEFAULT"] = "fs://"
    platform.write_dag(KINDS, "kinds.py")
    platform.standalone()
    platform.wait_finished("kinds")
    found = dict(platform.rows("SELECT task_id, state FROM runs_taskinstance"))
    failed = {"not_importable", "too_late"}
    assert found == {task_id: "failed" if task_id in failed else "success" for task_id in found}
    assert len(found) == 8
    assert platform.rows("SELECT COUNT(*) FROM runs_trigger") == [(0,)]
    queued = "SELECT COUNT(*) FROM runs_statechange WHERE task_id = 'own' AND to_state = 'queued'"
    assert platform.rows(queued) == [(2,)]
    without_worker = "SELECT task_id FROM runs_statechange WHERE from_state = 'scheduled' AND to_state = 'deferred'"
    assert platform.rows(without_worker) == [("never_on_a_worker",)]
    # What triggers say is written by a thread of the triggerer, what tasks say by one of the supervisor.
    said = {"fired": "own", "resumed with kept": "own", "No module named 'no_such'": "not_importable"}
    for words, task_id in said.items():
        wait_until(lambda w=words, t=task_id: w in log_of(platform, t), what=f"{words!r} in the log of {task_id}")  # type: ignore[misc]


def log_of(platform: Platform, task_id: str) -> str:
    (path,) = platform.deployment.logs.glob(f"dag_id=kinds/*/task_id={task_id}/attempt=1.log")
    return path.read_text()


def test_a_killed_triggerer_loses_no_wait_and_resumes_each_task_once(platform: Platform) -> None:
    """C15-c."""
    gate = platform.folder / "gate"
    platform.deployment.env["AIRFLOW_CONN_FS_DEFAULT"] = "fs://"
    platform.write_dag(WAITS.format(gate=str(gate)), "waits.py")
    platform.standalone()
    wait_until(lambda: platform.states("waits") == {"deferred": 30}, 120, what="tasks to wait", interval=0.1)
    killed = wait_until(lambda: platform.pids("orchestrator.sdk.execution.triggers"), 60, what="the runner")
    (triggerer,) = (pid for pid in platform.pids("triggerer") if pid not in killed)
    os.kill(triggerer, signal.SIGKILL)
    gate.touch()
    platform.wait_finished("waits")
    assert platform.states("waits") == {"success": 30}
    resumed = "SELECT COUNT(*) FROM runs_statechange WHERE from_state = 'deferred' AND to_state = 'scheduled'"
    assert platform.rows(resumed) == [(30,)]
    wait_until(lambda: not set(killed) & set(platform.pids("execution.triggers")), 60, what="the old runner to end")
