"""Decides what the recorded scenarios run against: a whole platform with Airflow's example DAG files, open to all."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.example_files import example_folder
from tests.deployment import Deployment, Template
from tests.oracle import oracle_file, oracle_json
from tests.waiting import wait_until

#: The bundles as Airflow names them, with their folders inside of its package.
BUNDLES = {
    "example_dags": "airflow/example_dags",
    "apache-airflow-providers-standard-example-dags": "airflow/providers/standard/example_dags",
}
#: Examples of another provider, see ``known_differences.py``.
NOT_HERE = {"example_analytics"}
LOCAL = "airflow.dag_processing.bundles.local.LocalDagBundle"


@pytest.fixture(scope="session")
def platform(deployment_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Return a running standalone platform that has read every example file."""
    made = deployment_template.copy(tmp_path_factory.mktemp("recordings") / "home")
    _lay_out(made)
    made.env["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS"] = "True"
    made.start("standalone")
    try:
        _wait_for_dags(made)
        yield made
    finally:
        deployment_template.drop(made)


def _lay_out(made: Deployment) -> None:
    examples, package = example_folder(), made.home / "examples"
    folders = {"dags-folder": made.dags}
    for name, folder in BUNDLES.items():
        folders[name] = Path(shutil.copytree(examples / folder, package / folder))
    shutil.copy(oracle_file("templating_dag.py"), made.dags)
    shutil.copytree(examples / "airflow" / "example_dags" / "plugins", made.home / "plugins", dirs_exist_ok=True)
    bundles = [{"name": name, "classpath": LOCAL, "kwargs": {"path": str(folder)}} for name, folder in folders.items()]
    made.env |= {"AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles), "PYTHONPATH": str(package)}


def _wait_for_dags(made: Deployment) -> None:
    wanted = set(oracle_json("dags_golden.json")["dags"]) - NOT_HERE
    wait_until(lambda: wanted <= _dag_ids(made), 300, what="the example DAGs", interval=0.5)
    wait_until(lambda: Path(made.home / "airflow.cfg").exists(), 10, what="airflow.cfg")


def _dag_ids(made: Deployment) -> set[str]:
    found: set[str] = set()
    try:
        for offset in (0, 100):
            with urllib.request.urlopen(f"{made.url}/api/v2/dags?limit=100&offset={offset}", timeout=10) as answer:
                found |= {dag["dag_id"] for dag in json.load(answer)["dags"]}
    except OSError:
        return set()
    return found
