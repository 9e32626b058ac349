"""Decides whether the real DAG processor sees files at once, survives its parts' deaths and ends in good order."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.deployment import Deployment
from tests.process.process_watch import children_of, wait_until_gone
from tests.waiting import wait_until

DAG = "from airflow.sdk import DAG\nd = DAG({dag_id!r}, description={text!r}, schedule=None)\n"
ASK = """
import json, sys
from dags_app.models import Bundle, Dag, ParseImportError
from orchestrator.processes.models import Process
print(json.dumps({
    "dags": {d.dag_id: [d.description, d.is_stale] for d in Dag.objects.all()},
    "errors": {e.filename: e.stacktrace for e in ParseImportError.objects.all()},
    "unreadable": [b.name for b in Bundle.objects.filter(unreadable_since__isnull=False)],
    "ended": [p.ended_at is not None for p in Process.objects.filter(kind="dag_processor")],
}))
"""


def ask(deployment: Deployment) -> dict[str, Any]:
    """Return what the database knows."""
    return json.loads(deployment.run("shell", "--no-imports", "-c", ASK).stdout)


def save(deployment: Deployment, dag_id: str, text: str = "") -> Path:
    path = deployment.dags / f"{dag_id}.py"
    path.write_text(DAG.format(dag_id=dag_id, text=text))
    return path


@pytest.fixture
def processor(deployment: Deployment):
    deployment.env["AIRFLOW__DAG_PROCESSOR__STALE_AFTER_SECONDS"] = "0.5"
    save(deployment, "first")
    process = deployment.start("dag_processor")
    wait_until(lambda: "first" in ask(deployment)["dags"], what="the first DAG")
    return process


def family(process) -> list[int]:
    """The zygote and its parse processes."""
    zygotes = children_of(process.pid)
    return zygotes + [child for zygote in zygotes for child in children_of(zygote)]


def test_saved_changed_broken_mended_and_deleted_files_are_seen_c06_a(deployment, processor):
    save(deployment, "d", "one")
    wait_until(lambda: ask(deployment)["dags"].get("d") == ["one", False], what="the saved file")
    path = save(deployment, "d", "two")
    wait_until(lambda: ask(deployment)["dags"]["d"] == ["two", False], what="the changed file")
    # Whole at once: what is empty for a moment has no DAGs, and takes "d" out of use.
    draft = path.with_suffix(".draft")
    draft.write_text("from airflow.sdk import DAG\nraise RuntimeError('oops')\n")
    draft.replace(path)
    wait_until(lambda: "oops" in ask(deployment)["errors"].get("d.py", ""), what="the import error")
    assert ask(deployment)["dags"]["d"] == ["two", False]
    save(deployment, "d", "three")
    wait_until(lambda: ask(deployment)["dags"]["d"] == ["three", False], what="the mended file")
    assert ask(deployment)["errors"] == {}
    path.unlink()
    wait_until(lambda: ask(deployment)["dags"]["d"] == ["three", True], what="the deleted file's DAG to become stale")
    assert ask(deployment)["dags"]["first"] == ["", False]


def test_an_unmounted_folder_loses_nothing_and_a_dead_zygote_is_replaced_c06_b_i9(deployment, processor):
    for zygote in children_of(processor.pid):
        os.kill(zygote, signal.SIGKILL)
    shutil.move(deployment.dags, deployment.home / "away")
    wait_until(lambda: ask(deployment)["unreadable"] == ["dags-folder"], what="the banner")
    assert ask(deployment)["dags"]["first"] == ["", False]
    shutil.move(deployment.home / "away", deployment.dags)
    save(deployment, "second")
    wait_until(lambda: "second" in ask(deployment)["dags"], what="the DAG saved after the return")
    assert ask(deployment)["unreadable"] == []


def test_sigterm_ends_it_in_good_order_with_all_its_children(deployment, processor):
    (deployment.dags / "slow.py").write_text("from airflow.sdk import DAG\nimport time\ntime.sleep(1000)\n")
    wait_until(lambda: len(family(processor)) > 1, what="a parse process")
    children = family(processor)
    os.kill(processor.pid, signal.SIGTERM)
    assert processor.wait(60) == 0
    for child in children:
        wait_until_gone(child)
    assert ask(deployment)["ended"] == [True]


def test_reparse_now_answers_with_the_new_version_or_the_error_c06_g(deployment, processor):
    code = (
        "from dags_app.reparse import file_reparse_now\nimport sys\n"
        "r = file_reparse_now('dags-folder', 'first.py', 60)\nprint(r.state, r.versions)\n"
        "print(file_reparse_now('dags-folder', 'no.py').state)\n"
    )
    assert deployment.run("shell", "--no-imports", "-c", code).stdout.splitlines() == ["parsed {'first': 1}", "unknown_file"]


def test_one_pass_from_the_command_line_ends_by_itself(deployment):
    save(deployment, "once")
    deployment.run("dag_processor", "--num-runs", "1")
    assert list(ask(deployment)["dags"]) == ["once"]


def test_an_unknown_bundle_is_named(deployment):
    with pytest.raises(RuntimeError, match="There is no bundle 'nope'; configured are: dags-folder"):
        deployment.run("dag_processor", "--bundle-name", "nope")
