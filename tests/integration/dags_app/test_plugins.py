"""Decides whether plugins and cluster policies take part in parsing and are known to the server, which never loads them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dags_app.models import Dag, Plugin
from dags_app.plugins import forget_hooks, hooks_heard
from tests.integration.dags_app.conftest import Folder

PLUGIN = """
from airflow.plugins_manager import AirflowPlugin
from airflow.listeners import hookimpl
from airflow.task.priority_strategy import PriorityWeightStrategy
from airflow.timetables.simple import NullTimetable

class Heavy(PriorityWeightStrategy):
    def get_weight(self, ti):
        return 40 - ti.try_number

class Never(NullTimetable):
    pass

class Ear:
    @hookimpl
    def on_dag_run_success(self, dag_run, msg): ...

class Mine(AirflowPlugin):
    name = "mine"
    priority_weight_strategies = [Heavy]
    timetables = [Never]
    listeners = [Ear()]
"""


@pytest.fixture
def plugged(folder: Folder, tmp_path: Path) -> Folder:
    for name in ("plugins", "config"):
        (tmp_path / name).mkdir()
    folder.settings.plugins_folder, folder.settings.config_folder = str(tmp_path / "plugins"), str(tmp_path / "config")
    folder.settings.examples_folder = ""
    folder.settings.sys_path = [str(tmp_path / "config"), str(tmp_path / "plugins")]
    folder.restart()
    return folder


def save(folder: Folder, name: str, text: str) -> None:
    (folder.path.parent / name).write_text(text)


def test_what_a_plugin_brings_is_used_by_dag_files_and_known_to_the_server(plugged: Folder):
    save(plugged, "plugins/mine.py", PLUGIN)
    plugged.write(
        "d.py",
        "from mine import Heavy, Never\nwith DAG('d', schedule=Never()):\n"
        "    BaseOperator(task_id='t', retries=1, weight_rule=Heavy())\n",
    )
    plugged.parse()
    assert plugged.error("d.py") == ""
    version = Dag.objects.get().latest_version
    assert '"priority_weight_total":40' in version.document and "mine.Never" in version.document
    [plugin] = Plugin.objects.all()
    assert (plugin.name, plugin.source, plugin.error) == ("mine", "$PLUGINS_FOLDER/mine.py", "")
    assert plugin.content["priority_weight_strategies"] == ["mine.Heavy"]
    assert "on_dag_run_success" in hooks_heard()
    assert "mine" not in sys.modules


def test_a_changed_plugin_has_every_file_parsed_again_and_a_removed_one_is_forgotten(plugged: Folder):
    save(plugged, "plugins/mine.py", PLUGIN)
    plugged.write("d.py", "from mine import Heavy\nwith DAG('d'):\n    BaseOperator(task_id='t', weight_rule=Heavy())\n")
    plugged.parse()
    save(plugged, "plugins/mine.py", PLUGIN.replace("40 -", "50 -"))
    plugged.parse()
    assert '"priority_weight_total":50' in Dag.objects.get().latest_version.document
    (plugged.path.parent / "plugins/mine.py").unlink()
    plugged.parse()
    assert not Plugin.objects.exists()


def test_a_broken_plugin_is_told_and_dag_files_go_on(plugged: Folder):
    save(plugged, "plugins/bad.py", "raise RuntimeError('broken plugin')\n")
    plugged.dag("d.py", "d")
    plugged.parse()
    [row] = Plugin.objects.all()
    assert row.error == "broken plugin" and row.source.endswith("bad.py")
    assert Dag.objects.filter(pk="d").exists()


def test_a_plugin_that_kills_its_process_is_told(plugged: Folder):
    save(plugged, "plugins/bad.py", "import os\nos._exit(9)\n")
    plugged.parse()
    assert "exit code 9" in Plugin.objects.get().error


def test_a_policy_changes_a_dag_skips_one_and_refuses_one_as_an_import_error(plugged: Folder):
    save(
        plugged,
        "config/airflow_local_settings.py",
        "from airflow.exceptions import AirflowClusterPolicySkipDag, AirflowClusterPolicyViolation\n"
        "def dag_policy(dag):\n"
        "    if dag.dag_id == 'skipped':\n        raise AirflowClusterPolicySkipDag('not here')\n"
        "    if dag.dag_id == 'refused':\n        raise AirflowClusterPolicyViolation('give it an owner')\n"
        "def task_policy(task):\n    task.queue = 'governed'\n",
    )
    for name in ("fine", "skipped", "refused"):
        plugged.dag(f"{name}.py", name)
    plugged.parse()
    assert list(Dag.objects.values_list("dag_id", flat=True)) == ["fine"]
    assert '"queue":"governed"' in Dag.objects.get().latest_version.document
    assert "AirflowClusterPolicyViolation: give it an owner" in plugged.error("refused.py")
    assert plugged.error("skipped.py") == ""


def test_local_settings_that_cannot_be_imported_are_an_import_error_of_the_file(plugged: Folder):
    save(plugged, "config/airflow_local_settings.py", "def x(:\n")
    plugged.dag("d.py", "d")
    plugged.parse()
    assert "airflow_local_settings.py" in plugged.error("d.py")


def test_a_policy_gives_a_slow_file_more_time_c06_e(plugged: Folder):
    save(plugged, "config/airflow_local_settings.py", "def get_dagbag_import_timeout(dag_file_path):\n    return 60\n")
    plugged.settings.timeout_seconds = 0.2
    plugged.write("slow.py", "import time\ntime.sleep(0.6)\nd = DAG('slow')\n")
    plugged.parse()
    assert plugged.error("slow.py") == "" and Dag.objects.filter(pk="slow").exists()


def test_listeners_hear_of_import_errors_new_and_old(plugged: Folder, tmp_path: Path):
    out = tmp_path / "out"
    save(
        plugged,
        "plugins/ear.py",
        "import sys\nfrom airflow.listeners import hookimpl\nfrom airflow.plugins_manager import AirflowPlugin\n"
        f"def write(*words):\n    print(*words, file=open({str(out)!r}, 'a'))\n"
        "@hookimpl\ndef on_new_dag_import_error(filename, stacktrace):\n    write('new', filename, 'ZeroDivision' in stacktrace)\n"
        "@hookimpl\ndef on_existing_dag_import_error(filename):\n    write('old', filename)\n"
        "class Ear(AirflowPlugin):\n    name = 'ear'\n    listeners = [sys.modules[__name__]]\n",
    )
    forget_hooks()
    path = plugged.write("d.py", "1 / 0\n")
    plugged.parse()
    plugged.write("d.py", "x = 1 / 0\n")
    plugged.parse()
    assert out.read_text().splitlines() == [f"new {path} True", f"old {path}"]
    forget_hooks()
