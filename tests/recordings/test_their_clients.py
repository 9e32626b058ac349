"""Airflow's Python client and `airflowctl`, unmodified from PyPI, drive this server."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.deployment import Deployment
from tests.recordings.venvs import python_with
from tests.waiting import wait_until

# The first test installs what it needs from PyPI, starts a platform and awaits the ends of runs, each with a limit of its own.
pytestmark = pytest.mark.timeout(1800)

DAG = "example_xcom"
#: Reads that have nothing to read on this server or need an id that only a write gives.
LEFT_OUT = "left out: no "
#: What the server refuses for a reason that Airflow has too.
REFUSED = {
    "get_config": "403",
    "get_config_value": "403",
    "get_external_log_url": "400",
    "get_hitl_detail": "404",
    "get_hitl_detail_try_detail": "404",
    "get_mapped_task_instances": "404",
}


@pytest.fixture(scope="module")
def run_id(platform: Deployment) -> str:
    """Return a finished run of an example."""
    _ask(platform, f"/api/v2/dags/{DAG}", {"is_paused": False}, "PATCH")
    _ask(platform, f"/api/v2/dags/{DAG}/dagRuns", {"logical_date": None, "dag_run_id": "for_clients"}, "POST")
    wait_until(
        lambda: _ask(platform, f"/api/v2/dags/{DAG}/dagRuns/for_clients")["state"] == "success", 240, what="the run", interval=0.2
    )
    return "for_clients"


def _ask(platform: Deployment, path: str, body: Any = None, method: str = "GET") -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(platform.url + path, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def test_the_python_client_reads_by_every_method_and_writes(platform: Deployment, run_id: str) -> None:
    python = python_with("apache-airflow-client==3.3.2")
    token = _ask(platform, "/auth/token")["access_token"]
    script = Path(__file__).parent / "client_session.py"
    command = [str(python), str(script), platform.url, token, DAG, run_id]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    results = json.loads(done.stdout)
    wrong = {
        name: said
        for name, said in results.items()
        if said != "ok" and not said.startswith(LEFT_OUT) and not said.startswith(REFUSED.get(name, "never"))
    }
    assert wrong == {}
    assert sum(said == "ok" for said in results.values()) > 45


COMMANDS = [
    "version",
    "dags list",
    f"dags get {DAG}",
    f"dags get-details {DAG}",
    f"dags list-version {DAG}",
    "dags list-import-errors",
    "dags list-warning",
    f"dags pause {DAG}",
    f"dags unpause {DAG}",
    f"dags trigger {DAG} --dag-run-id by_ctl",
    f"dagrun list --dag-id {DAG} --limit 5",
    "connections create --connection-id by_ctl --conn-type http",
    "connections list",
    "connections get by_ctl",
    "connections delete by_ctl",
    "variables create --key by_ctl --value 1",
    "variables list",
    "variables delete by_ctl",
    "pools create --name by_ctl --slots 2",
    "pools list",
    "pools delete by_ctl",
    "assets list",
    "assets list-by-alias",
    "jobs list",
    "providers list",
    "plugins list",
    "backfill list example_bash_operator",
]


def test_airflowctl_signs_in_and_its_commands_work(platform: Deployment, tmp_path: Path) -> None:
    ctl = python_with("apache-airflow-ctl==0.1.5").parent / "airflowctl"
    token = _ask(platform, "/auth/token/cli")["access_token"]
    environment = {"AIRFLOW_HOME": str(tmp_path), "HOME": str(tmp_path), "AIRFLOW_CLI_TOKEN": token, "PATH": "/usr/bin:/bin"}

    def run(arguments: str) -> str:
        done = subprocess.run(
            [ctl, *arguments.split()], env=environment, capture_output=True, text=True, timeout=240, check=False
        )
        return "" if done.returncode == 0 else f"{done.returncode}: {(done.stdout + done.stderr)[-600:]}"

    assert run(f"auth login --api-url {platform.url} --api-token {token} --skip-keyring") == ""
    wrong = {command: said for command in COMMANDS if (said := run(command))}
    assert wrong == {}
