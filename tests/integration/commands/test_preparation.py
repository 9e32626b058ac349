"""What standalone makes before its parts start: the folder for DAG files, where it is the home's own."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.config import conf
from orchestrator.standalone.preparation import create_dags_folder

BUNDLES = "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A home that is not there yet, with the defaults."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("AIRFLOW__CORE__DAGS_FOLDER", raising=False)
    monkeypatch.delenv(BUNDLES, raising=False)
    conf.reload()
    yield tmp_path / "home"
    monkeypatch.undo()
    conf.reload()


def test_the_dags_folder_of_a_fresh_home_is_made(home: Path) -> None:
    create_dags_folder()
    create_dags_folder()
    assert (home / "dags").is_dir()


def test_a_folder_elsewhere_is_not_made(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__DAGS_FOLDER", str(tmp_path / "mounted"))
    conf.reload()
    create_dags_folder()
    assert not (tmp_path / "mounted").exists() and not (home / "dags").exists()


def test_where_only_a_repository_is_read_no_folder_is_made(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = {"name": "ours", "classpath": "airflow.providers.git.bundles.git.GitDagBundle", "kwargs": {"repo_url": "/srv/repo"}}
    monkeypatch.setenv(BUNDLES, json.dumps([bundle]))
    conf.reload()
    create_dags_folder()
    assert not (home / "dags").exists()


def test_what_cannot_be_made_stops_nothing(home: Path) -> None:
    home.mkdir()
    (home / "dags").symlink_to("nowhere")
    create_dags_folder()
    assert not (home / "dags").is_dir()
