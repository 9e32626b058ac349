"""Decides what tests of DAGs get from pytest: runs in memory, a loader of DAG files, and no network.

Load it with ``-p orchestrator.sdk.testing.pytest_plugin``, or in a conftest with
``pytest_plugins = ["orchestrator.sdk.testing.pytest_plugin"]``. With ``dags_folder = dags`` in pytest's configuration the
fixture ``dag_folder`` loads that folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from orchestrator.sdk import airflow_names
from orchestrator.sdk.testing.dag_folder import DagFolder, load_folder
from orchestrator.sdk.testing.network import blocked
from orchestrator.sdk.testing.one_task import run_alone
from orchestrator.sdk.testing.result import RunResult
from orchestrator.sdk.testing.store import Store, TaskResult

airflow_names.install()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the settings of this plugin."""
    parser.addini("dags_folder", "Folder of the DAG files, relative to pytest's root folder", default="dags")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers of this plugin."""
    config.addinivalue_line("markers", "allow_network(*hosts): let this test reach these hosts, or all without any named")


@pytest.fixture
def no_network(request: pytest.FixtureRequest) -> Iterator[None]:
    """Refuse connections to other hosts in this test; ``allow_network`` opens some or all."""
    marker = request.node.get_closest_marker("allow_network")
    if marker is not None and not marker.args:
        yield
        return
    with blocked(marker.args if marker is not None else ()):
        yield


@pytest.fixture
def store() -> Store:
    """Return the store of this test's runs: variables, connections, XComs; set what the DAG needs."""
    return Store()


@pytest.fixture
def run_dag(no_network: None, store: Store) -> Callable[..., RunResult]:
    """Return ``run_dag(dag, **arguments) -> RunResult``; see ``orchestrator.local_run.dag_test.run_dag``."""

    def run(dag: Any, **arguments: Any) -> RunResult:
        found: RunResult = import_module("orchestrator.local_run.dag_test").run_dag(dag, **{"store": store, **arguments})
        return found

    return run


@pytest.fixture
def run_task(no_network: None, store: Store) -> Callable[..., TaskResult]:
    """Return ``run_task(task, **arguments) -> TaskResult``; see ``orchestrator.sdk.testing.one_task.run_alone``."""
    return lambda task, **arguments: run_alone(task, **{"store": store, **arguments})


@pytest.fixture
def assert_dag_ok(run_dag: Callable[..., RunResult]) -> Callable[..., RunResult]:
    """Return ``assert_dag_ok(dag, **arguments)``: run the DAG and fail with the authors' tracebacks unless it succeeds."""

    def check(dag: Any, **arguments: Any) -> RunResult:
        __tracebackhide__ = True
        result = run_dag(dag, **arguments)
        if not result.ok:
            pytest.fail(f"{result.table()}\n\n{result.failures()}", pytrace=False)
        return result

    return check


@pytest.fixture
def load_dags() -> Callable[[str | Path], DagFolder]:
    """Return ``load_dags(folder or file) -> DagFolder``."""
    return load_folder


@pytest.fixture(scope="session")
def dag_folder(pytestconfig: pytest.Config) -> DagFolder:
    """Return the DAGs of the folder that ``dags_folder`` in pytest's configuration names."""
    return load_folder(pytestconfig.rootpath / str(pytestconfig.getini("dags_folder")))
