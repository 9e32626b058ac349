"""The commands info, jobs, providers, plugins and assets, and the short command."""

from __future__ import annotations

import io
import json
import subprocess
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditLog
from dags_app.models import Asset, AssetAlias, AssetReference, Plugin
from orchestrator.command import django_words
from orchestrator.kernel.clock import utcnow
from orchestrator.processes.models import Process
from orchestrator.processes.services import process_register
from runs.models import DagRun
from tests.architecture.source import REPOSITORY
from tests.factories import make_dag

pytestmark = pytest.mark.django_db


def said(*words: str) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def rows(*words: str) -> Any:
    return json.loads(said(*words, "-o", "json"))


def test_jobs_check_tells_whether_a_part_lives() -> None:
    with pytest.raises(CommandError, match="No alive jobs found"):
        said("jobs", "check")
    process_register("scheduler")
    assert "Found one alive job." in said("jobs", "check", "--job-type", "SchedulerJob", "--local")
    with pytest.raises(CommandError, match="No alive jobs found"):
        said("jobs", "check", "--job-type", "TriggererJob")
    process_register("scheduler")
    assert "Found 2 alive jobs." in said("jobs", "check", "--allow-multiple", "--limit", "100")
    with pytest.raises(CommandError, match="Expected only one"):
        said("jobs", "check", "--limit", "0")
    Process.objects.update(heartbeat_at=utcnow() - timedelta(hours=1))
    with pytest.raises(CommandError, match="No alive jobs found"):
        said("jobs", "check")


def test_info_shows_versions_and_paths_and_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    from orchestrator.config import conf

    found = {name: facts for group in rows("info") for name, facts in group.items()}
    assert {"apache_airflow", "system_info", "tools_info", "paths_info", "providers_info"} == set(found)
    assert found["apache_airflow"]["executor"] == conf.get("core", "executor")
    assert "3.3.2" in said("info", "--anonymize")
    real = conf.get
    url = "postgresql://me:secret@host/db"
    monkeypatch.setattr(conf, "get", lambda s, k, *rest: url if k == "sql_alchemy_conn" else real(s, k, *rest))
    assert "secret" not in said("info")


def test_providers_are_listed_and_shown() -> None:
    assert "apache-airflow-providers-standard" in {row["package_name"] for row in rows("providers", "list")}
    assert rows("providers", "get", "apache-airflow-providers-standard")[0]["Provider"] == "apache-airflow-providers-standard"
    with pytest.raises(CommandError, match="No such provider installed: nothing"):
        said("providers", "get", "nothing")


def test_what_providers_bring_is_shown_with_airflows_columns() -> None:
    hooks = {row["connection_type"]: row for row in rows("providers", "hooks")}
    assert hooks["fs"] == {
        "connection_type": "fs",
        "class": "airflow.providers.standard.hooks.filesystem.FSHook",
        "conn_id_attribute_name": "fs_conn_id",
        "package_name": "apache-airflow-providers-standard",
        "hook_name": "File (path)",
    }
    assert {"field_behaviours": "package_index"} in rows("providers", "behaviours")
    assert rows("providers", "widgets")[0]["connection_parameter_name"] == "extra__fs__path"
    assert "airflow.providers.standard.triggers.temporal" in {row["class"] for row in rows("providers", "triggers")}
    assert rows("providers", "executors") == []


def test_plugins_are_shown_as_they_were_loaded() -> None:
    assert "No plugins loaded" in said("plugins")
    Plugin.objects.create(name="p", source="p.py", content={"macros": ["m"], "listeners": []}, loaded_at=utcnow())
    [shown] = rows("plugins")
    assert {name: value for name, value in shown.items() if value} == {"name": "p", "source": "p.py", "macros": ["m"]}
    assert shown["listeners"] == []


def test_assets_are_listed_shown_and_materialized() -> None:
    asset = Asset.objects.create(name="a", uri="s3://a/k")
    AssetAlias.objects.create(name="alias")
    dag = make_dag()
    AssetReference.objects.create(dag=dag, role="outlet", task_id="t", asset=asset)
    assert rows("assets", "list") == [{"name": "a", "uri": "s3://a/k", "group": "asset", "extra": {}}]
    assert rows("assets", "list", "--alias")[0]["name"] == "alias"
    assert rows("assets", "details", "--uri", "s3://a/k")[0]["name"] == "a"
    assert rows("assets", "materialize", "--name", "a")[0]["dag_id"] == "d"
    assert DagRun.objects.get().run_type == "asset_materialization"
    assert AuditLog.objects.filter(event="materialize_asset").exists()
    for words, sentence in (
        (("details", "--name", "b"), "does not exist"),
        (("details",), "--name or --uri"),
        (("list", "--columns", "colour"), "no columns colour"),
    ):
        with pytest.raises(CommandError, match=sentence):
            said("assets", *words)


def test_the_short_command_takes_airflows_names() -> None:
    assert django_words(["api-server", "--port", "1"]) == ["api_server", "--port", "1"]
    assert django_words(["--help"]) == ["--help"]
    done = subprocess.run([REPOSITORY / "af", "db", "clean", "--help"], capture_output=True, text=True, check=True)
    assert "--clean-before-timestamp" in done.stdout
