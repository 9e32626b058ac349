"""Decides whether a git bundle's DAGs follow its commits, and keep what they have when the remote is away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dags_app.models import Bundle, Dag, DagVersion, ParseImportError
from dags_app.processor.bundles import configured_bundles
from dags_app.processor.processor import Processor, Settings
from dags_app.processor.service import run_passes
from dags_app.services import bundles_register
from orchestrator.config import conf
from tests.repositories import Remote

GIT = "airflow.providers.git.bundles.git.GitDagBundle"
DAG = "from airflow.sdk import DAG, task\nwith DAG({dag_id!r}, schedule=None{more}):\n    @task\n    def t():\n        return {value}\n    t()\n"


def dag(dag_id: str, value: int, more: str = "") -> str:
    return DAG.format(dag_id=dag_id, value=value, more=more)


class Bundles:
    """A processor over git bundles, made anew from the configuration when asked."""

    def __init__(self, client, monkeypatch, tmp_path: Path) -> None:
        self._client, self._monkeypatch, self._tmp_path = client, monkeypatch, tmp_path

    def configure(self, **repositories: str) -> None:
        entries = [
            {"name": name, "classpath": GIT, "kwargs": {"repo_url": url, "refresh_interval": 0}}
            for name, url in repositories.items()
        ]
        self._monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps(entries))
        self._monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH", str(self._tmp_path / "bundles"))
        self._monkeypatch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
        conf.reload()
        sources = configured_bundles()
        rows = bundles_register((item.name, item.kind, str(item.path), item.shown_kwargs()) for item in sources)
        settings = Settings.from_configuration()
        settings.log_folder = self._tmp_path / "logs"
        self.processor = Processor(list(zip(sources, rows, strict=True)), settings, self._client)

    def parse(self) -> None:
        run_passes(self.processor, 1)


@pytest.fixture
def remote(tmp_path) -> Remote:
    return Remote(tmp_path)


@pytest.fixture
def bundles(client, monkeypatch, tmp_path, db) -> Iterator[Bundles]:
    yield Bundles(client, monkeypatch, tmp_path)
    monkeypatch.undo()
    conf.reload()


@pytest.fixture
def own_zygote(client) -> Iterator[None]:
    """For a test that changes what processes inherit: one that starts in it ends with it."""
    client.close()
    yield
    client.close()


def test_dags_carry_the_commit_that_they_were_parsed_from_c20(bundles, remote):
    first = remote.commit(a=dag("a", 1), b=dag("b", 1))
    bundles.configure(etl=remote.url)
    bundles.parse()
    assert dict(Dag.objects.values_list("dag_id", "bundle_version")) == {"a": first, "b": first}
    second = remote.commit(a=dag("a", 2))
    bundles.parse()
    assert dict(Dag.objects.values_list("dag_id", "bundle_version")) == {"a": second, "b": second}
    assert Bundle.objects.get(pk="etl").version == second
    assert DagVersion.objects.filter(dag_id="a").count() == 1, "only the body of a task changed"


def test_a_dag_that_is_broken_in_the_new_commit_stays_on_the_old_one_c06_c(bundles, remote):
    first = remote.commit(a=dag("a", 1), b=dag("b", 1))
    bundles.configure(etl=remote.url)
    bundles.parse()
    second = remote.commit(a="import airflow, dag, nothing_of_this_name\n")
    bundles.parse()
    assert dict(Dag.objects.values_list("dag_id", "bundle_version")) == {"a": first, "b": second}
    assert ParseImportError.objects.get().filename == "a.py"


def test_a_dag_without_bundle_versions_carries_none_c20(bundles, remote):
    remote.commit(a=dag("a", 1, ", disable_bundle_versioning=True"))
    bundles.configure(etl=remote.url)
    bundles.parse()
    assert Dag.objects.get().bundle_version is None and Dag.objects.get().latest_version.bundle_version is None


@pytest.mark.usefixtures("own_zygote")
def test_the_option_switches_versions_off_for_all_c20(bundles, remote, monkeypatch):
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DISABLE_BUNDLE_VERSIONING", "True")
    remote.commit(a=dag("a", 1))
    bundles.configure(etl=remote.url)
    bundles.parse()
    assert Dag.objects.get().bundle_version is None


def test_an_unreachable_remote_changes_nothing_and_is_told_c06_b(bundles, remote):
    first = remote.commit(a=dag("a", 1))
    bundles.configure(etl=remote.url)
    bundles.parse()
    remote.bare.rename(remote.bare.with_name("away"))
    bundles.processor.bundles["etl"].tracking._due_at = 0.0
    bundles.parse()
    row = Bundle.objects.get(pk="etl")
    assert row.unreadable_since is not None and "cannot be fetched" in row.unreadable_reason
    assert list(Dag.objects.values_list("dag_id", "is_stale", "bundle_version")) == [("a", False, first)]
    remote.bare.with_name("away").rename(remote.bare)
    bundles.configure(etl=remote.url)
    bundles.parse()
    assert Bundle.objects.get(pk="etl").unreadable_since is None


def test_a_processor_that_starts_without_the_remote_goes_on_with_what_was_fetched_c06_b(bundles, remote):
    first = remote.commit(a=dag("a", 1))
    bundles.configure(etl=remote.url)
    bundles.parse()
    remote.bare.rename(remote.bare.with_name("away"))
    bundles.configure(etl=remote.url)
    bundles.parse()
    assert list(Dag.objects.values_list("dag_id", "is_stale", "bundle_version")) == [("a", False, first)]
    assert Bundle.objects.get(pk="etl").unreadable_since is not None


def test_one_dag_id_in_two_bundles_is_an_error_that_names_both_c06_d(bundles, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, two = Remote(tmp_path / "one"), Remote(tmp_path / "two")
    one.commit(a=dag("same", 1))
    two.commit(b=dag("same", 2))
    bundles.configure(first=one.url, second=two.url)
    bundles.parse()
    bundles.parse()  # a file that lost its DAG to another one is parsed again
    error = ParseImportError.objects.get()
    assert error.bundle_id == "second" and "b.py" in error.stacktrace and "(bundle 'first')" in error.stacktrace
    assert Dag.objects.get().bundle_id == "first"


def test_a_connection_that_is_not_there_is_named(bundles, remote, monkeypatch):
    bundles.configure(etl=remote.url)
    entry = {"name": "etl", "classpath": GIT, "kwargs": {"git_conn_id": "nobody"}}
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps([entry]))
    conf.reload()
    source = configured_bundles()[0]
    row = Bundle.objects.get(pk="etl")
    bundles.processor = Processor([(source, row)], bundles.processor.settings, bundles.processor.client)
    bundles.parse()
    assert "no connection 'nobody'" in Bundle.objects.get(pk="etl").unreadable_reason


@pytest.mark.usefixtures("own_zygote")
def test_switching_versions_off_reaches_dags_whose_files_stay_the_same_c20(bundles, remote, monkeypatch):
    remote.commit(a=dag("a", 1))
    bundles.configure(etl=remote.url)
    bundles.parse()
    assert Dag.objects.get().bundle_version is not None
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DISABLE_BUNDLE_VERSIONING", "True")
    bundles.configure(etl=remote.url)
    bundles.parse()
    assert Dag.objects.get().bundle_version is None
