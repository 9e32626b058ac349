"""`manage.py standalone`: starts, answers, keeps parts alive, leaves nothing behind (C28-a)."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from orchestrator.standalone.linux import descendants
from tests.deployment import Deployment
from tests.oracle import REPOSITORY
from tests.process.process_watch import children_of, is_gone
from tests.waiting import wait_until

PARTS = {"api_server", "scheduler", "dag_processor", "triggerer"}


def part_pids(standalone: int) -> dict[str, int]:
    """Ids of the running parts by name, as ``ps`` shows them."""
    found = {}
    for pid in children_of(standalone):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it may end meanwhile
            found[Path(f"/proc/{pid}/comm").read_text().strip()] = pid
    return found


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def started(deployment: Deployment) -> subprocess.Popen[bytes]:
    process = deployment.start("standalone")
    wait_until(lambda: answers(f"{deployment.url}/api/v2/monitor/health"), 120, what="the API server")
    wait_until(lambda: set(part_pids(process.pid)) >= PARTS, 60, what="all parts")
    return process


def text_of(deployment: Deployment) -> str:
    return deployment.output("standalone").read_text()


def test_it_starts_all_parts_answers_and_ends_with_no_process_left(deployment: Deployment) -> None:
    standalone = started(deployment)
    wait_until(lambda: "scheduler started" in text_of(deployment), 60, what="the scheduler's log line")
    family = [standalone.pid, *descendants(standalone.pid)]
    standalone.send_signal(signal.SIGTERM)
    assert standalone.wait(60) == 0
    assert [pid for pid in family if not is_gone(pid)] == []
    lines = text_of(deployment).splitlines()
    assert any(re.match(r"scheduler +\| .*scheduler stopped", line) for line in lines)
    assert "\x1b[" not in text_of(deployment)


def test_a_killed_part_starts_again_and_the_others_stay(deployment: Deployment) -> None:
    standalone = started(deployment)
    before = part_pids(standalone.pid)
    os.kill(before["triggerer"], signal.SIGKILL)
    wait_until(lambda: part_pids(standalone.pid).get("triggerer", before["triggerer"]) != before["triggerer"], 60)
    # What the killed part has left is standalone's child for a moment.
    after, others = part_pids(standalone.pid), PARTS - {"triggerer"}
    assert {name: after.get(name) for name in others} == {name: before[name] for name in others}
    assert "triggerer was ended by SIGKILL" in text_of(deployment)
    assert "restarted once" in text_of(deployment)


def test_the_port_stays_open_while_the_api_server_starts_again(deployment: Deployment) -> None:
    standalone = started(deployment)
    os.kill(part_pids(standalone.pid)["api_server"], signal.SIGKILL)
    with socket.create_connection(("127.0.0.1", deployment.port), timeout=5):
        pass
    wait_until(lambda: answers(f"{deployment.url}/api/v2/monitor/health"), 60, what="the API server")


def test_no_part_outlives_a_killed_standalone(deployment: Deployment) -> None:
    standalone = started(deployment)
    family = descendants(standalone.pid)
    assert len(family) >= len(PARTS)
    standalone.kill()
    standalone.wait(10)
    # A zombie has ended; who has to collect it is not this test's business.
    wait_until(lambda: all(is_gone(pid) for pid in family), 60, what="the parts to end")


def test_a_first_start_makes_home_schema_dags_folder_and_a_user_who_can_sign_in(deployment: Deployment, tmp_path: Path) -> None:
    home = tmp_path / "fresh"
    del deployment.env["AIRFLOW__CORE__DAGS_FOLDER"]
    deployment.env |= {"AIRFLOW_HOME": str(home), "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db"}
    started(deployment)
    assert (home / "dags").is_dir()
    file = home / "simple_auth_manager_passwords.json.generated"
    password = json.loads(file.read_text())["admin"]
    assert f"username: admin password: {password}" in text_of(deployment)
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in (file, home / "airflow.cfg", home / "airflow.db")} == {
        file.name: "0o600",
        "airflow.cfg": "0o600",
        "airflow.db": "0o600",
    }
    body = json.dumps({"username": "admin", "password": password}).encode()
    request = urllib.request.Request(f"{deployment.url}/auth/token", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert json.load(answer)["access_token"]


def test_worker_traffic_gets_a_server_of_its_own_where_no_url_is_given(deployment: Deployment) -> None:
    """I10: a flood of page requests cannot fail a task."""
    del deployment.env["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"]
    standalone = started(deployment)
    assert "execution_api" in part_pids(standalone.pid)


def test_a_taken_port_is_a_sentence_and_nothing_starts(deployment: Deployment) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as any server: see free_port
        taken.bind(("127.0.0.1", deployment.port))
        taken.listen()
        standalone = deployment.start("standalone")
        assert standalone.wait(60) == 1
    assert f"Port {deployment.port} on 127.0.0.1 cannot be used" in text_of(deployment)
    assert "Traceback" not in text_of(deployment)


@pytest.mark.parametrize("arguments", [("standalone",), ("api_server",), ("migrate",), ("check",)])
def test_a_wrong_option_is_a_sentence_and_the_process_does_not_start(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """C31-a: option, value, source and what is allowed."""
    env = os.environ | {"AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__PARALLELISM": "many"}
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=REPOSITORY,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "[core] parallelism = 'many' (from environment variable AIRFLOW__CORE__PARALLELISM)" in done.stderr
    assert "a whole number" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_option_is_a_warning_with_a_suggestion(deployment: Deployment) -> None:
    deployment.env["AIRFLOW__CORE__PARALELISM"] = "3"
    done = deployment.run("check")
    assert "Did you mean [core] parallelism" in done.stderr
