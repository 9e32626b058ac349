"""Decides how tests load plugins and cluster policies of their own and leave none behind."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestrator.sdk import airflow_names, policies
from orchestrator.sdk.listeners.hooks import clear_listeners
from orchestrator.sdk.plugins import loading

Load = Callable[..., loading.Loaded]


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    airflow_names.install()
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    loading.forget()
    policies.forget()
    yield
    loading.forget()
    policies.forget()
    clear_listeners()
    for name in set(sys.modules) - before:
        if not name.startswith("orchestrator."):
            del sys.modules[name]


@pytest.fixture
def load(clean: None, tmp_path: Path) -> Load:
    """Return a function that writes plugin files, given by name, and loads them."""

    def load_files(**files: str) -> loading.Loaded:
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text("from airflow.plugins_manager import AirflowPlugin\n" + text)
        loading.configure(str(tmp_path))
        return loading.plugins()

    return load_files


@pytest.fixture
def local_settings(clean: None, tmp_path: Path) -> Callable[[str], None]:
    """Return a function that writes ``airflow_local_settings.py`` where it is found."""

    def write(text: str) -> None:
        (tmp_path / "airflow_local_settings.py").write_text(text)
        sys.path.insert(0, str(tmp_path))

    return write
