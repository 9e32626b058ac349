"""Decides by which names a task may ask for an executor: as in Airflow, its alias, its class and the path of its class."""

from __future__ import annotations

import pytest

from orchestrator.config import conf
from runs.executors import loader

PATH = "airflow.executors.local_executor.LocalExecutor"


@pytest.mark.parametrize(
    ("configured", "asked", "found"),
    [
        ("LocalExecutor", "LocalExecutor", "LocalExecutor"),
        ("LocalExecutor", PATH, "LocalExecutor"),
        (PATH, "LocalExecutor", "LocalExecutor"),
        ("here:LocalExecutor", "here", "here"),
        ("here:LocalExecutor", "LocalExecutor", "here"),
        ("here:LocalExecutor", PATH, "here"),
        ("LocalExecutor,mine.Own", "Own", "mine.Own"),
        ("LocalExecutor", "SequentialExecutor", None),
        ("LocalExecutor", "CeleryExecutor", None),
    ],
)
def test_a_task_may_name_an_executor_as_in_airflow(
    monkeypatch: pytest.MonkeyPatch, configured: str, asked: str, found: str | None
) -> None:
    monkeypatch.setattr(conf, "get", lambda *_: configured)
    monkeypatch.setattr(loader, "_load", lambda name: name)
    executors = loader.load_executors()
    assert executors.named(asked) == (executors.by_name[found] if found else None)
    assert executors.named(None) == next(iter(executors.by_name.values()))
