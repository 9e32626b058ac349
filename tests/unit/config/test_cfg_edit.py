"""C31-d: a configuration of Airflow 2 is read, reported and brought up to date."""

from __future__ import annotations

from pathlib import Path

from orchestrator.config.cfg_edit import Change, changed, changes_of
from orchestrator.config.configuration import Configuration
from orchestrator.config.options import OPTIONS

OLD = """\
[core]
executor = LocalExecutor

# How many.
dag_concurrency = 5
sql_alchemy_conn_cmd = cat /run/secret
hostname = :
misspelt = 4

[webserver]
base_url: http://old:80/
  # still the value
worker_class = sync
[api]
port = 8081
"""


def read(home: Path, text: str, **environ: str) -> Configuration:
    (home / "airflow.cfg").write_text(text)
    return Configuration({"AIRFLOW_HOME": str(home), **environ})


def test_names_of_airflow_2_are_read_and_reported(tmp_path: Path) -> None:
    conf = read(tmp_path, OLD, AIRFLOW__SCHEDULER__STATSD_ON_CMD="echo True")
    assert conf.get("core", "max_active_tasks_per_dag") == 5
    assert conf.get("api", "base_url").startswith("http://old:80/")
    assert conf.get("metrics", "statsd_on") is True
    found = {(item.section, item.key): item for item in conf.findings()}
    assert found["core", "dag_concurrency"].new == OPTIONS["core", "max_active_tasks_per_dag"]
    assert found["core", "sql_alchemy_conn_cmd"].new == OPTIONS["database", "sql_alchemy_conn"]
    assert found["core", "hostname"].is_idle
    assert found["webserver", "worker_class"].is_idle
    assert not found["core", "misspelt"].is_idle
    assert not found["scheduler", "statsd_on_cmd"].is_in_file


def test_older_names_move_with_their_comments_and_other_lines_stay(tmp_path: Path) -> None:
    changes = changes_of(read(tmp_path, OLD).findings(), idle=True)
    text = changed(OLD, changes)
    assert "# How many.\nmax_active_tasks_per_dag = 5\n" in text
    assert "[api]\nbase_url: http://old:80/\n  # still the value\n" in text
    assert text.endswith("[database]\nsql_alchemy_conn_cmd = cat /run/secret\n")
    assert "misspelt = 4" in text
    assert "worker_class" not in text
    assert "hostname" not in text
    again = read(tmp_path, text)
    assert [(item.section, item.key) for item in again.findings()] == [("core", "misspelt")]
    assert again.get("core", "max_active_tasks_per_dag") == 5


def test_a_new_name_that_is_set_wins_and_names_without_effect_may_stay(tmp_path: Path) -> None:
    text = "[webserver]\nweb_server_port = 1\nworker_class = sync\n[api]\nport = 2\n"
    changes = changes_of(read(tmp_path, text).findings(), idle=False)
    assert changes == [Change(("webserver", "web_server_port"), ("api", "port"))]
    assert changed(text, changes) == "[webserver]\nworker_class = sync\n[api]\nport = 2\n"


def test_a_changed_file_without_changes_is_the_same() -> None:
    assert changed(OLD, []) == OLD
