"""SIGTERM drains: what runs may finish, nothing is lost, and the next start goes on."""

import os
import signal

from tests.faults.dag_files import web
from tests.faults.platform import Platform
from tests.faults.test_kills import assert_all_ran
from tests.waiting import wait_until


def running(platform: Platform) -> int:
    return platform.states().get("running", 0)


def wait_said(platform: Platform, command: str, words: str) -> None:
    output = platform.deployment.output(command)
    wait_until(lambda: words in output.read_text(), 120, what=f"{command} to say {words!r}")


def test_a_scheduler_told_to_stop_lets_tasks_finish_and_the_next_goes_on(platform: Platform) -> None:
    platform.deployment.env["AIRFLOW__SCHEDULER__DRAIN_TIMEOUT_SECONDS"] = "90"
    platform.write_dag(web(platform.folder, wide=60, chains=2, links=10, held=True))
    platform.keep("api_server", "dag_processor")
    scheduler = platform.deployment.start("scheduler")
    wait_until(lambda: running(platform) >= 10, 120, what="tasks to run")
    scheduler.terminate()
    wait_said(platform, "scheduler", "scheduler drains")
    (platform.folder / "gate").touch()
    assert scheduler.wait(120) == 0, platform.report()
    states = platform.states()
    assert not {"running", "queued"} & states.keys(), platform.report()
    assert states["success"] >= 10
    assert platform.pids("orchestrator.sdk.execution.supervisor") == []
    platform.deployment.start("scheduler")
    platform.wait_finished()
    assert_all_ran(platform, 83)
    assert platform.rows("SELECT task_id, cause FROM runs_taskinstancehistory") == []


def test_standalone_told_to_stop_drains_and_the_next_goes_on(platform: Platform) -> None:
    platform.deployment.env["AIRFLOW__SCHEDULER__DRAIN_TIMEOUT_SECONDS"] = "90"
    platform.write_dag(web(platform.folder, wide=60, chains=2, links=10, held=True))
    first = platform.standalone()
    wait_until(lambda: running(platform) >= 10, 120, what="tasks to run")
    os.kill(first, signal.SIGTERM)
    wait_said(platform, "standalone", "scheduler drains")
    (platform.folder / "gate").touch()
    assert platform.deployment.processes[-1].wait(120) == 0
    assert platform.family() == []
    assert not {"running", "queued"} & platform.states().keys(), platform.report()
    platform.standalone()
    platform.wait_finished()
    assert_all_ran(platform, 83)


def test_a_second_signal_stops_at_once_and_lost_tasks_run_again(platform: Platform) -> None:
    platform.write_dag(web(platform.folder, wide=20, chains=1, links=3, held=True))
    first = platform.standalone()
    wait_until(lambda: running(platform) >= 10, 120, what="tasks to run")
    os.kill(first, signal.SIGTERM)
    wait_said(platform, "standalone", "stopping; running tasks may finish")
    os.kill(first, signal.SIGTERM)
    platform.deployment.processes[-1].wait(60)
    wait_until(lambda: platform.family() == [], 60, what="all processes to end")
    (platform.folder / "gate").touch()
    platform.standalone()
    platform.wait_finished()
    assert_all_ran(platform, 26)
