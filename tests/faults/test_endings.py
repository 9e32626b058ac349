"""However a task ends, its attempt says why, in the row and in the log; and what it does hurts no other."""

import contextlib
import os
import signal
from typing import Any

from tests.faults.dag_files import journal
from tests.faults.platform import Platform
from tests.waiting import wait_until

ENDINGS = """
import resource
import signal
import subprocess
import sys
import time


def leave_children():
    body()
    subprocess.Popen(["sleep", "600"])
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)


def hog():
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    return len(bytearray(4 << 30))


def shout():
    for _ in range(100):
        sys.stdout.write(("x" * 999 + "\\n") * 1000)
    sys.stdout.flush()


with DAG("endings", schedule="@once", is_paused_upon_creation=False):
    for name, function in {
        "exits": lambda: sys.exit(3),
        "exits_at_once": lambda: os._exit(4),
        "segfaults": lambda: os.kill(os.getpid(), signal.SIGSEGV),
        "hogs": hog,
        "shouts": shout,
        "leaves_children": leave_children,
        "raises": lambda: 1 / 0,
    }.items():
        task(task_id=name)(function)()

    @task
    def big():
        return "a" * 1_000_000

    @task
    def reads(value):
        assert value == "a" * 1_000_000
        body()

    reads(big())
"""
ROW = "SELECT state, cause, cause_detail, exit_code, signal FROM runs_taskinstance WHERE dag_id = '{dag}' AND task_id = '{task}'"


def row(platform: Platform, task_id: str, dag_id: str = "endings") -> tuple[Any, ...]:
    return platform.rows(ROW.format(dag=dag_id, task=task_id))[0]


def log_of(platform: Platform, task_id: str, dag_id: str = "endings") -> str:
    (path,) = (platform.deployment.logs / f"dag_id={dag_id}").glob(f"*/task_id={task_id}/attempt=1.log")
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 20_000))
        return file.read().decode("utf-8", "replace")


def test_every_ending_has_a_cause_on_the_attempt_and_in_the_log(platform: Platform) -> None:
    platform.write_dag(journal(platform.folder) + ENDINGS)
    platform.standalone()
    platform.wait_finished("endings")
    platform.wait_logs("endings", attempts=9)
    got = {name: row(platform, name) for name in ("exits", "exits_at_once", "segfaults", "hogs", "raises")}
    causes = {name: (state, cause) for name, (state, cause, *_) in got.items()}
    assert causes == {
        "exits": ("failed", "exit_code"),
        "exits_at_once": ("failed", "exit_code"),
        "segfaults": ("failed", "signal"),
        "hogs": ("failed", "user_exception"),
        "raises": ("failed", "user_exception"),
    }, got
    assert (got["exits_at_once"][3], got["segfaults"][4]) == (4, int(signal.SIGSEGV))
    assert all(detail for _, _, detail, _, _ in got.values()), got
    for name, (_, cause, *_) in got.items():
        assert cause in log_of(platform, name), log_of(platform, name)
    for name in ("shouts", "leaves_children", "big", "reads"):
        assert row(platform, name)[0] == "success", (name, row(platform, name), log_of(platform, name)[-3000:])
    assert "sleep" in log_of(platform, "leaves_children")
    wait_until(lambda: platform.pids("sleep\0") == [], 60, what="what the task left behind to end")


def test_files_that_end_the_import_are_import_errors_and_hinder_no_other(platform: Platform) -> None:
    platform.write_dag("import sys\nfrom airflow.sdk import DAG\nsys.exit('no')\n", "exits.py")
    platform.write_dag("import os\nfrom airflow.sdk import DAG\nos._exit(7)\n", "exits_at_once.py")
    platform.write_dag(journal(platform.folder) + FINE)
    platform.standalone()
    platform.wait_finished("fine")
    assert platform.run_states("fine") == ["success"]
    sql = "SELECT filename, stacktrace FROM dags_app_parseimporterror"
    errors = dict(wait_until(lambda: len(found := platform.rows(sql)) == 2 and found, 60, what="both import errors"))
    assert "SystemExit" in errors["exits.py"]
    assert "7" in errors["exits_at_once.py"], errors


FINE = """
with DAG("fine", schedule="@once", is_paused_upon_creation=False):
    task(task_id="fine")(body)()
"""

TURNING = """
with DAG("turning", schedule="@once", is_paused_upon_creation=False):

    @task
    def works():
        body()

    works()

if os.getenv("AIRFLOW_HOME") and (FOLDER / "turn").exists():
    {ending}
"""


def test_a_file_that_exits_when_a_task_imports_it_fails_the_attempt_with_the_reason(platform: Platform) -> None:
    """The parse is good, the import in the worker is not: the file asks which of both it is."""
    text = journal(platform.folder) + TURNING.format(ending="import sys; 'dag_host' in str(sys.modules) and os._exit(9)")
    platform.write_dag(text, "turning.py")
    platform.keep("api_server", "dag_processor")
    wait_until(lambda: platform.rows("SELECT dag_id FROM dags_app_dag"), 120, what="the DAG")
    (platform.folder / "turn").touch()
    platform.keep("scheduler")
    platform.wait_finished("turning")
    state, cause, detail, *_ = row(platform, "works", "turning")
    assert (state, cause) == ("failed", "dag_import_error"), platform.report("turning")
    assert "9" in detail


STUBBORN = """
import signal
import threading

with DAG("stubborn", schedule="@once", is_paused_upon_creation=False):

    @task
    def ignores():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        body(0.0 if (FOLDER / "cleared").exists() else 600.0)

    ignores()
"""


def test_a_task_that_ignores_sigterm_and_is_cleared_is_killed_and_runs_again(platform: Platform) -> None:
    platform.deployment.env |= {"AIRFLOW__CORE__KILLED_TASK_CLEANUP_TIME": "2", "AIRFLOW__WORKERS__HEARTBEAT_SECONDS": "2"}
    platform.write_dag(journal(platform.folder) + STUBBORN)
    platform.standalone()
    wait_until(lambda: any(note.word == "start" for note in platform.notes()), 120, what="the task to run")
    (platform.folder / "cleared").touch()
    (first,) = (note for note in platform.notes() if note.word == "start")
    clear(platform, "stubborn")
    wait_until(lambda: not is_running(first.pid), 60, what="the first process to be killed")
    platform.wait_finished("stubborn")
    assert platform.run_states("stubborn") == ["success"], platform.report("stubborn")
    platform.wait_logs("stubborn", attempts=2)
    log = log_of(platform, "ignores", "stubborn")
    assert "cleared" in log and "SIGKILL" in log, log


CLEAR = """
from django.db import transaction
from runs.models import DagRun
from runs.services import run_clear
with transaction.atomic():
    run_clear(DagRun.objects.get(dag_id={dag_id!r}), actor="somebody")
"""


def clear(platform: Platform, dag_id: str) -> None:
    platform.deployment.run("shell", "-c", CLEAR.format(dag_id=dag_id))


def is_running(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


LOUD = """
with DAG("fine", schedule="@once", is_paused_upon_creation=False):

    @task
    def fine():
        for _ in range(5000):
            print("x" * 1000)
        body()

    fine()
"""


def test_logs_that_cannot_be_written_fail_no_task(platform: Platform) -> None:
    """C10-c: a disk without room for logs; the place of the folder is taken by a file, which no user can write below.

    The 5 MB are more than what waits for a disk: lines are lost, and the report that says so is taken.
    """
    platform.deployment.logs.mkdir(exist_ok=True)
    (platform.deployment.logs / "dag_id=fine").write_text("in the way")
    platform.write_dag(journal(platform.folder) + LOUD)
    platform.standalone()
    platform.wait_finished("fine")
    assert platform.run_states("fine") == ["success"], platform.report("fine")
