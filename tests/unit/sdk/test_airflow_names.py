"""``import airflow...`` in a DAG file finds this platform."""

from pathlib import Path

import pytest

from tests.unit.sdk.fresh_python import ROOT, parse_file, run_python

INSTALL = "import importlib, json, os, sys\nfrom orchestrator.sdk import airflow_names\nairflow_names.install()\n"


def test_every_name_in_the_tables_is_there() -> None:
    code = """
from orchestrator.sdk.name_tables import TABLE
missing = []
for module_name in TABLE:
    module = importlib.import_module(module_name)
    for name in airflow_names.public_names(module_name):
        try:
            getattr(module, name)
        except Exception as error:
            missing.append([module_name, name, repr(error)])
print(json.dumps(missing))
"""
    assert run_python(INSTALL + code) == []


def test_every_public_name_of_the_sdk_is_there_and_the_same_under_both_names() -> None:
    code = """
import airflow.sdk
import orchestrator.sdk
same = [getattr(airflow.sdk, name) is getattr(orchestrator.sdk, name) for name in orchestrator.sdk.__all__]
print(json.dumps(all(same) and len(same) > 90))
"""
    assert run_python(INSTALL + code) is True


def test_the_version_is_airflows() -> None:
    assert run_python(INSTALL + "import airflow\nprint(json.dumps(airflow.__version__))") == "3.3.2"


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("from airflow.sdk import Nothing", "Nothing"),
        ("import airflow.no_such_module", "airflow.no_such_module"),
        ("from airflow.operators.bash import PythonOperator", "PythonOperator"),
        ("import airflow.providers.amazon", "airflow.providers.amazon"),
    ],
)
def test_a_missing_name_is_an_import_error_that_names_it(statement: str, named: str) -> None:
    code = f"try:\n    {statement}\nexcept ImportError as error:\n    print(json.dumps(str(error)))"
    assert named in run_python(INSTALL + code)


def test_an_installed_provider_is_imported_from_the_disk(tmp_path: Path) -> None:
    package = tmp_path / "airflow" / "providers" / "acme" / "operators"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "rocket.py").write_text("from airflow.sdk import BaseOperator\nclass RocketOperator(BaseOperator):\n    pass\n")
    code = "from airflow.providers.acme.operators.rocket import RocketOperator\nprint(json.dumps(RocketOperator.__module__))"
    found = run_python(INSTALL + code, env={"PYTHONPATH": f"{ROOT}:{tmp_path}"})
    assert found == "airflow.providers.acme.operators.rocket"


def test_a_star_import_gives_the_public_names() -> None:
    code = "names = {}\nexec('from airflow.exceptions import *', names)\nprint(json.dumps('AirflowSkipException' in names))"
    assert run_python(INSTALL + code) is True


@pytest.mark.parametrize("path", sorted((ROOT / "dags").glob("*.py")), ids=lambda path: path.stem)
def test_an_example_of_ours_parses(path: Path) -> None:
    documents = parse_file(path)
    assert [document["dag_id"] for document in documents] == [path.stem]
    assert documents[0]["doc_md"]
