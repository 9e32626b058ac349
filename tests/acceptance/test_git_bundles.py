"""A run executes the commit that it was created with, also after the bundle has moved on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from orchestrator.sdk.bundles.locking import exclusive
from tests.faults.platform import Platform
from tests.faults.rest import Rest
from tests.repositories import Remote
from tests.waiting import wait_until

DAG = """
import time
from pathlib import Path
from airflow.sdk import DAG, task
from lib.words import WORD

with DAG("pinned", schedule=None):

    @task
    def early():
        while not Path({gate!r}).exists():
            time.sleep(0.05)

    @task
    def late():
        return WORD + "-{body}"

    early() >> late()
"""


def configure(platform: Platform, remote: Remote) -> Path:
    """Let the platform read the repository; returns where it keeps its copies."""
    storage = platform.deployment.home / "bundles"
    kwargs = {"repo_url": remote.url, "tracking_ref": "main", "refresh_interval": 1}
    entry = {"name": "etl", "classpath": "airflow.providers.git.bundles.git.GitDagBundle", "kwargs": kwargs}
    platform.deployment.env |= {
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([entry]),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(storage),
    }
    return storage


def result(platform: Platform, run_id: str) -> str:
    sql = f"SELECT x.value FROM runs_xcom x JOIN runs_dagrun r ON r.id = x.dag_run_id WHERE r.run_id = '{run_id}' AND x.task_id = 'late'"
    return str(platform.rows(sql)[0][0])


def test_a_run_keeps_to_its_commit_while_the_bundle_moves_on_c20(platform: Platform, tmp_path: Path) -> None:
    remote, gate = Remote(tmp_path), str(tmp_path / "gate")
    first = remote.commit(pinned=DAG.format(gate=gate, body="one"), lib__words="WORD = 'first'\n")
    storage = configure(platform, remote)
    platform.standalone()
    current = "SELECT bundle_version FROM dags_app_dag WHERE dag_id = 'pinned'"
    wait_until(lambda: platform.rows(current) == [(first,)], 120, what="the DAG of the first commit")
    rest = Rest(platform)
    old = rest.trigger("pinned")
    running = "SELECT 1 FROM runs_taskinstance WHERE task_id = 'early' AND state = 'running'"
    wait_until(lambda: platform.rows(running), 120, what="the first run to run")
    second = remote.commit(pinned=DAG.format(gate=gate, body="two"), lib__words="WORD = 'second'\n")
    wait_until(lambda: platform.rows(current) == [(second,)], 120, what="the DAG of the second commit")
    # As on another machine, or after a cleanup: the worker makes the folder of the commit anew.
    shutil.rmtree(storage / "etl" / "versions" / first)
    Path(gate).touch()
    assert platform.wait_run("pinned", old) == "success", platform.report("pinned")
    new = rest.trigger("pinned")
    assert platform.wait_run("pinned", new) == "success", platform.report("pinned")
    assert result(platform, old).strip('"') == "first-one"
    assert result(platform, new).strip('"') == "second-two"
    assert dict(platform.rows("SELECT run_id, bundle_version FROM runs_dagrun")) == {old: first, new: second}


def test_a_commit_that_cannot_be_had_is_the_platforms_failure_and_says_why_c20(platform: Platform, tmp_path: Path) -> None:
    remote, gate = Remote(tmp_path), tmp_path / "gate"
    gate.touch()
    first = remote.commit(pinned=DAG.format(gate=str(gate), body="one"), lib__words="WORD = 'first'\n")
    storage = configure(platform, remote)
    platform.deployment.env["AIRFLOW__SCHEDULER__MAX_INFRA_RETRIES"] = "0"
    platform.standalone()
    wait_until(lambda: platform.rows("SELECT 1 FROM dags_app_dag WHERE dag_id = 'pinned'"), 120, what="the DAG")
    rest = Rest(platform)
    # The DAG processor fetches every second: between its looks, so that it makes nothing of this anew.
    with exclusive(storage / "etl" / "lock", 60):
        remote.bare.rename(remote.bare.with_name("away"))
        shutil.rmtree(storage / "etl" / "versions" / first)
        shutil.rmtree(storage / "etl" / "bare")
    run_id = rest.trigger("pinned")
    assert platform.wait_run("pinned", run_id) == "failed", platform.report("pinned")
    cause, detail = platform.rows("SELECT cause, cause_detail FROM runs_taskinstance WHERE task_id = 'early'")[0]
    assert cause == "launch_error" and first in detail and "cannot be fetched" in detail
