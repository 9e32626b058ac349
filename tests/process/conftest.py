"""Decides what tests with real processes can ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.process.fake_execution_api import FakeExecutionApi
from tests.process.supervisor_harness import SupervisorHarness


class StartSupervisor(Protocol):
    """Starts a supervisor with a DAG file."""

    def __call__(self, dag: str = "", environment: dict[str, str] | None = None, **settings: Any) -> SupervisorHarness: ...


@pytest.fixture
def api() -> Iterator[FakeExecutionApi]:
    """Give a healthy Execution API."""
    server = FakeExecutionApi()
    yield server
    server.stop()


@pytest.fixture
def start(tmp_path: Path, api: FakeExecutionApi) -> Iterator[StartSupervisor]:
    """Give a function that starts supervisors; they end with the test."""
    started: list[SupervisorHarness] = []

    def run(dag: str = "", environment: dict[str, str] | None = None, **settings: Any) -> SupervisorHarness:
        harness = SupervisorHarness(tmp_path, api.url, environment, **settings)
        started.append(harness)
        harness.write_dag(dag)
        return harness

    yield run
    for harness in started:
        harness.close()
