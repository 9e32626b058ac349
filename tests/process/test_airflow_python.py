"""A supervisor starts, stops and waits for workers under another Python (`[workers] airflow_python`)."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from orchestrator.config import ConfigurationError
from runs.executors.supervisor_environment import airflow_pythons
from tests.process.process_watch import is_gone, wait_until_gone
from tests.waiting import wait_until

WORKER = """#!{python}
import json, os, signal, sys
assert sys.argv[1:4] == ["-m", "airflow.sdk.execution_time.execute_workload", "--json-path"]
workload = json.load(open(sys.argv[4]))
ti = workload["ti"]
folder = "{folder}"
assert "PYTHONPATH" not in os.environ and "ORCHESTRATOR_SUPERVISOR" not in os.environ
signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
os.mkfifo(folder + "/" + ti["task_id"] + ".go") if not os.path.exists(folder + "/" + ti["task_id"] + ".go") else None
open(folder + "/" + ti["task_id"] + ".pid", "w").write(str(os.getpid()))
code = open(folder + "/" + ti["task_id"] + ".go").read()
os._exit(int(code))
"""


@pytest.fixture
def python(tmp_path: Path) -> str:
    """Return a program that stands for such a Python: it waits until a test writes its exit code."""
    import sys

    path = tmp_path / "python"
    path.write_text(WORKER.format(python=sys.executable, folder=tmp_path))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def pid_of(folder: Path, task_id: str) -> int:
    file = folder / f"{task_id}.pid"
    wait_until(lambda: file.exists() and file.read_text(), 60, what="the worker")
    return int(file.read_text())


def end(folder: Path, task_id: str, code: int) -> None:
    (folder / f"{task_id}.go").write_text(str(code))


@pytest.mark.parametrize(("code", "reported"), [(0, True), (1, False)])
def test_a_workers_end_is_told_and_one_that_failed_may_not_have_reported(start, tmp_path, python, code, reported):
    supervisor = start(airflow_python={"*": python})
    ti_id = supervisor.execute("t")
    pid_of(tmp_path, "t")
    end(tmp_path, "t", code)
    ended = supervisor.wait_for("Ended", ti_id)
    assert (ended["exit_code"], ended["signal"], ended["reported"], ended["dispatch_id"]) == (
        code,
        None,
        reported,
        f"dispatch-{ti_id}",
    )


def test_a_worker_is_ended_when_the_scheduler_says_so(start, tmp_path, python):
    supervisor = start(airflow_python={"*": python})
    ti_id = supervisor.execute("t")
    pid = pid_of(tmp_path, "t")
    supervisor.send({"type": "Terminate", "ti_id": ti_id, "reason": "marked failed"})
    ended = supervisor.wait_for("Ended", ti_id)
    assert (ended["exit_code"], ended["cause"], ended["reported"]) == (143, "marked", False)
    wait_until_gone(pid)


def test_workers_end_with_a_supervisor_that_is_killed(start, tmp_path, python):
    supervisor = start(airflow_python={"*": python})
    supervisor.execute("t")
    pid = pid_of(tmp_path, "t")
    assert not is_gone(pid)
    supervisor.process.kill()
    wait_until_gone(pid)


def test_a_python_that_is_not_there_rejects_the_attempt_with_its_path(start, tmp_path):
    supervisor = start(airflow_python={"*": str(tmp_path / "no-python")})
    rejected = supervisor.wait_for("Rejected", supervisor.execute("t"))
    assert rejected["cause"] == "launch_error"
    assert "no-python" in rejected["detail"]


def test_the_setting_is_a_path_or_a_path_for_each_queue():
    assert airflow_pythons("") == {}
    assert airflow_pythons(" /venv/bin/python ") == {"*": "/venv/bin/python"}
    assert airflow_pythons('{"spark": "/a", "*": "/b"}') == {"spark": "/a", "*": "/b"}
    with pytest.raises(ConfigurationError, match="airflow_python"):
        airflow_pythons("{spark: /a}")
    with pytest.raises(ConfigurationError, match="each queue"):
        airflow_pythons('{"spark": 3}')
