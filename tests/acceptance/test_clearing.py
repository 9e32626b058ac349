"""Setups, teardowns, markers and clears in a running platform, by our example DAGs (C20, C21)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tests.acceptance.test_git_bundles import DAG as PINNED
from tests.acceptance.test_git_bundles import Remote, configure, result
from tests.faults.platform import Platform
from tests.faults.rest import Rest
from tests.oracle import REPOSITORY
from tests.waiting import wait_until

SLOW = """
import os, pathlib, time
from airflow.sdk import DAG
from airflow.sdk import BaseOperator

NOTES = pathlib.Path(os.environ["JOURNAL"], "slow")

class Slow(BaseOperator):
    def execute(self, context):
        with NOTES.open("a") as notes:
            notes.write(f"begin {context['ti'].try_number} {os.getpid()}\\n")
        if context["ti"].try_number == 1:
            time.sleep(300)

    def on_kill(self):
        with NOTES.open("a") as notes:
            notes.write(f"killed {os.getpid()}\\n")

with DAG("slow", schedule=None):
    Slow(task_id="t")
"""


def start(platform: Platform, *examples: str) -> Rest:
    for name in examples:
        shutil.copy(REPOSITORY / "dags" / f"{name}.py", platform.deployment.dags)
    platform.deployment.env["AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION"] = "False"
    platform.standalone()
    return Rest(platform)


def known(platform: Platform, dag_id: str) -> None:
    wait_until(lambda: platform.rows(f"SELECT 1 FROM dags_app_dag WHERE dag_id = '{dag_id}'"), 120, what=dag_id)


def trigger(rest: Rest, dag_id: str, **body: Any) -> str:
    return str(rest.call("POST", f"/api/v2/dags/{dag_id}/dagRuns", {"logical_date": None} | body)["dag_run_id"])


def states(platform: Platform, dag_id: str) -> dict[str, str]:
    return dict(platform.rows(f"SELECT task_id, state FROM runs_taskinstance WHERE dag_id = '{dag_id}'"))  # type: ignore[arg-type]


def test_our_example_of_setup_and_teardown_cleans_up_also_where_the_work_fails(platform: Platform) -> None:
    rest, dag_id = start(platform, "example_setup_teardown"), "example_setup_teardown"
    known(platform, dag_id)
    run_id = trigger(rest, dag_id, conf={"fail": True})
    assert platform.wait_run(dag_id, run_id) == "failed", platform.report(dag_id)
    assert states(platform, dag_id) == {
        "make_directory": "success",
        "write": "success",
        "count": "failed",
        "remove_directory": "success",
        "publish": "upstream_failed",
    }
    body = {"dag_run_id": run_id, "task_ids": ["count"], "only_failed": False, "dry_run": False}
    cleared = rest.call("POST", f"/api/v2/dags/{dag_id}/clearTaskInstances", body)
    assert [ti["task_id"] for ti in cleared["task_instances"]] == ["count", "make_directory", "remove_directory"]
    wait_until(lambda: platform.run_states(dag_id) == ["failed"], 120, what="the second end")
    assert dict(platform.rows("SELECT task_id, try_number FROM runs_taskinstance"))["remove_directory"] == 2


def test_clearing_our_example_of_a_marker_clears_the_dag_that_waits_for_it(platform: Platform) -> None:
    rest = start(platform, "example_external_task_marker")
    parent, child = "example_marker_parent", "example_marker_child"
    known(platform, child)
    known(platform, parent)
    day = {"logical_date": "2026-01-05T00:00:00Z"}
    runs = {dag_id: trigger(rest, dag_id, **day) for dag_id in (parent, child)}
    for dag_id, run_id in runs.items():
        assert platform.wait_run(dag_id, run_id) == "success", platform.report(dag_id)
    body = {"dag_run_id": runs[parent], "recursive": True, "dry_run": False}
    cleared = rest.call("POST", f"/api/v2/dags/{parent}/clear", body)
    assert [(run["dag_id"], len(run["task_instances"])) for run in cleared["runs"]] == [(parent, 2), (child, 2)]
    for dag_id in runs:
        wait_until(lambda dag_id=dag_id: platform.run_states(dag_id) == ["success"], 120, what=dag_id)  # type: ignore[misc]
    tries = platform.rows(f"SELECT try_number FROM runs_taskinstance WHERE dag_id = '{child}' AND task_id = 'wait_for_parent'")
    assert tries == [(2,)]


def test_c21a_a_cleared_task_is_killed_before_its_next_try_begins_and_c21e_on_kill_runs_once(platform: Platform) -> None:
    platform.deployment.env["JOURNAL"] = str(platform.folder)
    platform.write_dag(SLOW, "slow.py")
    rest, notes = start(platform), platform.folder / "slow"
    known(platform, "slow")
    run_id = trigger(rest, "slow")
    wait_until(lambda: notes.exists() and "begin 1" in notes.read_text(), 120, what="the first try")
    body = {"dag_run_id": run_id, "only_failed": False, "dry_run": False}
    rest.call("POST", "/api/v2/dags/slow/clearTaskInstances", body)
    assert platform.wait_run("slow", run_id) == "success", platform.report("slow")
    words = [line.split()[0] for line in notes.read_text().splitlines()]
    assert words == ["begin", "killed", "begin"]
    assert platform.rows("SELECT cause FROM runs_taskinstancehistory WHERE dag_id = 'slow'") == [("cleared",)]


def test_c20d_a_clear_runs_the_version_of_the_run_or_the_newest_and_the_log_says_which(
    platform: Platform, tmp_path: Path
) -> None:
    remote, gate = Remote(tmp_path), tmp_path / "gate"
    gate.touch()
    first = remote.commit(pinned=PINNED.format(gate=str(gate), body="one"), lib__words="WORD = 'first'\n")
    configure(platform, remote)
    platform.standalone()
    current = "SELECT bundle_version FROM dags_app_dag WHERE dag_id = 'pinned'"
    wait_until(lambda: platform.rows(current) == [(first,)], 120, what="the first commit")
    rest = Rest(platform)
    run_id = rest.trigger("pinned")
    assert platform.wait_run("pinned", run_id) == "success", platform.report("pinned")
    second = remote.commit(pinned=PINNED.format(gate=str(gate), body="two"), lib__words="WORD = 'second'\n")
    wait_until(lambda: platform.rows(current) == [(second,)], 120, what="the second commit")
    path, body = "/api/v2/dags/pinned/clear", {"dag_run_id": run_id, "dry_run": False}
    for number, (asked, commit, said) in enumerate(
        [({}, first, "first-one"), ({"run_on_latest_version": True}, second, "second-two")]
    ):
        rest.call("POST", path, body | asked)
        tries = f"SELECT COUNT(*) FROM runs_taskinstance WHERE state = 'success' AND try_number = {number + 2}"
        wait_until(lambda tries=tries: platform.rows(tries)[0][0] == 2, 120, what=said)  # type: ignore[misc]
        assert result(platform, run_id).strip('"') == said
        platform.wait_run("pinned", run_id)
        platform.wait_logs("pinned", attempts=2 * (number + 2))
        logs = [*(platform.deployment.logs / "dag_id=pinned").rglob(f"attempt={number + 2}.log")]
        assert len(logs) == 2 and all(f"at version {commit}" in log.read_text() for log in logs)
