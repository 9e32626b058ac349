"""Several schedulers: on PostgreSQL they share the runs, on SQLite the second one stands by; none of them is needed (C33)."""

import os
import random
import signal

import pytest

from tests.faults.dag_files import web
from tests.faults.journal import bodies_run_again, overlaps
from tests.faults.platform import Platform
from tests.waiting import wait_until

RUNS = 100
TASKS_EACH = 6
IS_POSTGRESQL = os.environ.get("TEST_DATABASE") == "postgresql"
MANY = """
from datetime import UTC, datetime
from runs.services import run_trigger
from dags_app.models import Dag
dag = Dag.objects.get(pk="web")
for number in range({runs}):
    run_trigger(dag=dag, run_id=f"run_{{number}}", logical_date=None, run_after=datetime.now(UTC), conf={{}}, note=None,
                triggered_by="cli", user_name=None)
"""


@pytest.mark.skipif(not IS_POSTGRESQL, reason="SQLite has one writer: the second scheduler stands by, see the next test")
def test_two_schedulers_killed_at_random_finish_a_hundred_runs(platform: Platform) -> None:
    platform.write_dag(web(platform.folder, wide=2, chains=1, links=1, schedule=None, max_runs=RUNS))
    platform.keep("api_server", "dag_processor")
    wait_until(lambda: platform.rows("SELECT dag_id FROM dags_app_dag"), 120, what="the DAG")
    platform.deployment.run("shell", "-c", MANY.format(runs=RUNS))
    platform.keep("scheduler", "scheduler")
    chance = random.Random(33)
    for ended in (5, 20, 35, 50, 65, 80):
        wait_until(lambda ended=ended: platform.run_states().count("success") >= ended, 120, what=f"{ended} runs to end")  # type: ignore[misc]
        os.kill(chance.choice(schedulers(platform)), signal.SIGKILL)
    platform.wait_finished(runs=RUNS)
    notes = platform.notes()
    assert platform.run_states().count("success") == RUNS, platform.report()
    assert platform.states() == {"success": RUNS * TASKS_EACH}
    assert (overlaps(notes), bodies_run_again(notes)) == ([], {})


def schedulers(platform: Platform) -> list[int]:
    """The schedulers that run now."""
    alive = [process.pid for process in platform.deployment.processes if process.poll() is None]
    return [pid for pid in platform.pids("manage.py\0scheduler") if pid in alive]


@pytest.mark.skipif(IS_POSTGRESQL, reason="on PostgreSQL both schedulers work")
def test_on_sqlite_the_second_scheduler_stands_by_and_takes_over(platform: Platform) -> None:
    platform.write_dag(web(platform.folder, wide=60, chains=1, links=10, seconds=0.5))
    platform.keep("api_server", "dag_processor")
    first = platform.deployment.start("scheduler")
    wait_until(lambda: platform.states().get("success", 0) > 5, 120, what="the first scheduler to work")
    platform.deployment.start("scheduler")
    output = platform.deployment.output("scheduler")
    wait_until(lambda: "hot standby" in output.read_text(), 60, what="the second scheduler to stand by")
    first.kill()
    platform.wait_finished()
    notes = platform.notes()
    assert platform.states() == {"success": 73}, platform.report()
    assert (overlaps(notes), bodies_run_again(notes)) == ([], {})
