"""Decides whether the list of bundles is read in full and what cannot work is refused with a reason."""

from __future__ import annotations

import json

import pytest

from orchestrator.config import ConfigurationError, conf
from orchestrator.sdk.bundles.configured import configured_bundle, configured_bundles

GIT = "airflow.providers.git.bundles.git.GitDagBundle"
LOCAL = "airflow.dag_processing.bundles.local.LocalDagBundle"


@pytest.fixture
def bundles(monkeypatch, tmp_path):
    def configure(*entries):
        monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps(entries))
        monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH", str(tmp_path))
        monkeypatch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
        conf.reload()
        return configured_bundles()

    yield configure
    monkeypatch.undo()
    conf.reload()


def entry(name="b", classpath=GIT, **kwargs):
    return {"name": name, "classpath": classpath, "kwargs": kwargs}


def test_several_bundles_of_both_kinds_are_read(bundles, tmp_path):
    url = "https://ann:s3cret@example.com/r.git"
    local, git = bundles(entry("local", LOCAL, path="/dags"), entry("git", repo_url=url, subdir="dags", refresh_interval=60))
    assert (str(local.path), local.git) == ("/dags", None)
    assert git.path == tmp_path / "git" / "tracking_repo" / "dags" and git.refresh_seconds == 60
    assert git.shown_kwargs()["repo_url"] == "https://example.com/r.git"
    assert "s3cret" not in repr(git)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (entry(classpath="airflow.providers.amazon.aws.bundles.s3.S3DagBundle"), "mount the bucket"),
        (entry(classpath="airflow.providers.google.cloud.bundles.gcs.GCSDagBundle"), "mount or sync"),
        (entry(classpath="my.Own"), "use LocalDagBundle or GitDagBundle"),
        (entry(), "needs `repo_url`"),
        (entry(repo_url="x", branch="main"), "no argument 'branch'"),
        (entry(repo_url="x", subdir="../.."), "leads out of the repository"),
        (entry(repo_url="x", tracking_ref="--upload-pack=evil"), "must not begin with a dash"),
        (entry(repo_url="x", refresh_interval="soon"), "number of seconds"),
        (entry(name="../up", repo_url="x"), "cannot be a folder"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_work_is_refused_with_the_reason(bundles, wrong, words):
    with pytest.raises(ConfigurationError, match=words):
        bundles(wrong)


def test_a_bundle_that_a_worker_does_not_know_is_named(bundles):
    bundles(entry(repo_url="x"))
    with pytest.raises(ConfigurationError, match="no bundle 'other'"):
        configured_bundle("other")
