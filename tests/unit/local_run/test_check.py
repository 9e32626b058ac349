"""C28-d: what ``check_dags`` finds in a folder of DAG files."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.dag_check.check import Finding, Known, check

HEAD = "from airflow.sdk import DAG\nfrom airflow.providers.standard.operators.empty import EmptyOperator\n"
CASES = {
    "import-error": "import nothing_of_that_name\n" + HEAD,
    "cycle": HEAD + "with DAG('c'):\n    a, b = EmptyOperator(task_id='a'), EmptyOperator(task_id='b')\n    a >> b >> a\n",
    "unknown-pool": HEAD + "with DAG('p'):\n    EmptyOperator(task_id='a', pool='none')\n",
    "unknown-queue": HEAD + "with DAG('q'):\n    EmptyOperator(task_id='a', queue='gpu')\n",
    "unknown-connection": HEAD
    + "from airflow.sdk.bases.hook import BaseHook\nwith DAG('k'):\n    f = lambda: BaseHook.get_connection('none')\n",
    "top-level-io": HEAD
    + "import sqlite3\nsqlite3.connect(':memory:').close()\nwith DAG('i'):\n    EmptyOperator(task_id='a')\n",
    "unstable": HEAD + "import uuid\nwith DAG('u', description=str(uuid.uuid4())):\n    EmptyOperator(task_id='a')\n",
}
KNOWN = Known(pools={"default_pool"}, queues={"default"}, connections=set())


def findings(folder: Path) -> list[Finding]:
    return check(folder, KNOWN)[0]


@pytest.mark.parametrize("kind", CASES)
def test_each_kind_of_trouble_is_found_alone(tmp_path: Path, kind: str) -> None:
    (tmp_path / "dag.py").write_text(CASES[kind])
    found = findings(tmp_path)
    assert [finding.kind for finding in found] == [kind], found
    assert found[0].file == str(tmp_path / "dag.py")


def test_what_a_plugin_brings_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "dags").mkdir()
    (tmp_path / "plugins" / "own_keys.py").write_text(
        "from airflow.partition_mappers import IdentityMapper\nfrom airflow.plugins_manager import AirflowPlugin\n"
        "class Own(IdentityMapper): ...\nclass P(AirflowPlugin):\n    name, partition_mappers = 'p', [Own]\n"
    )
    (tmp_path / "dags" / "d.py").write_text(
        HEAD
        + "from airflow.sdk import Asset, PartitionedAssetTimetable\nfrom own_keys import Own\n"
        + "with DAG('d', schedule=PartitionedAssetTimetable(Asset('a'), {}, Own())):\n    EmptyOperator(task_id='a')\n"
    )
    monkeypatch.setenv("AIRFLOW__CORE__PLUGINS_FOLDER", str(tmp_path / "plugins"))
    assert findings(tmp_path / "dags") == []


def test_an_id_that_two_files_define_is_found(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.py").write_text(HEAD + "with DAG('same'):\n    EmptyOperator(task_id='a')\n")
    (found,) = findings(tmp_path)
    assert (found.kind, found.dag_id) == ("duplicate-id", "same")
    assert "a.py" in found.message


def test_an_id_that_one_file_defines_twice_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(HEAD + 2 * "with DAG('same'):\n    EmptyOperator(task_id='a')\n")
    (found,) = findings(tmp_path)
    assert (found.kind, found.dag_id, "twice in this file" in found.message) == ("duplicate-id", "same", True)


def test_the_order_of_a_set_makes_a_file_unstable(tmp_path: Path) -> None:
    text = HEAD + "with DAG('s'):\n    for name in {'a', 'b', 'c', 'd', 'e', 'f', 'g'}:\n        EmptyOperator(task_id=name)\n"
    (tmp_path / "dag.py").write_text(text)
    assert [finding.kind for finding in findings(tmp_path)] == ["unstable"]


def test_a_file_that_kills_its_process_is_named_and_others_are_checked(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(HEAD + "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    (tmp_path / "b.py").write_text(HEAD + "with DAG('b'):\n    EmptyOperator(task_id='a')\n")
    found, numbers = check(tmp_path, KNOWN)
    assert [(finding.kind, Path(finding.file).name) for finding in found] == [("import-error", "a.py")]
    assert numbers == {"files": 2, "dags": 1}


def test_what_nobody_knows_is_not_checked(tmp_path: Path) -> None:
    for kind in ("unknown-pool", "unknown-queue", "unknown-connection"):
        (tmp_path / f"{kind}.py").write_text(CASES[kind])
    assert check(tmp_path, Known())[0] == []


def test_ignored_files_are_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(CASES["import-error"])
    (tmp_path / ".airflowignore").write_text("broken.py\n")
    assert check(tmp_path, KNOWN) == ([], {"files": 0, "dags": 0})
