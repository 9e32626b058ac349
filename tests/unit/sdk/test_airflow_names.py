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
    assert documents
    assert all(document["dag_id"].startswith("example_") for document in documents)
    assert documents[0]["doc_md"]


@pytest.mark.parametrize(
    "statement",
    [
        "from airflow import AirflowException, Dataset",
        "from airflow.configuration import AIRFLOW_HOME, conf, get_airflow_home",
        "from airflow.models import DagBag, DagModel, Pool, TaskReschedule",
        "from airflow.models.dagbag import DagBag",
        "from airflow.observability.stats import Stats",
        "from airflow.sdk import io, log, timezone, yaml",
        "from airflow.sdk.bases.operator import BaseOperatorMeta, DEFAULT_RETRIES",
        "from airflow.sdk.definitions._internal.types import NOTSET",
        "from airflow.sdk.definitions.timetables.trigger import CronTriggerTimetable",
        "from airflow.sdk.execution_time.secrets_masker import mask_secret",
        "from airflow.sdk.module_loading import import_string",
        "from airflow.security import permissions",
        "from airflow.stats import Stats",
        "from airflow.triggers.testing import FailureTrigger, SuccessTrigger",
        "from airflow.utils.dag_cycle_tester import check_cycle",
        "from airflow.utils.process_utils import execute_in_subprocess, patch_environ",
        "from airflow.utils.state import JobState",
        "from airflow.utils.types import DagRunTriggeredByType",
    ],
)
def test_a_name_that_is_needed_less_often_is_there_too(statement: str) -> None:
    assert run_python(INSTALL + f"{statement}\nprint(json.dumps(True))") is True


def test_tables_of_the_server_can_be_named_but_not_used() -> None:
    code = """
from airflow.models import DagModel
def annotated(dag: DagModel) -> None: ...
try:
    DagModel.get_current("d")
except RuntimeError as error:
    print(json.dumps(str(error)))
"""
    assert "DagModel.get_current needs the server's database" in run_python(INSTALL + code)


def test_a_dag_bag_has_the_dags_and_the_import_errors_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text("from airflow.sdk import DAG\nwith DAG('good', schedule=None):\n    pass\n")
    (tmp_path / "bad.py").write_text("from airflow.sdk import DAG\ndag = DAG('bad', schedule='nonsense')\n")
    (tmp_path / "round.py").write_text(
        "from airflow.sdk import DAG\nfrom airflow.operators.empty import EmptyOperator\n"
        "with DAG('round', schedule=None):\n    a = EmptyOperator(task_id='a')\n    a >> EmptyOperator(task_id='b') >> a\n"
    )
    (tmp_path / "other.py").write_text("print('no such thing')\n")
    code = f"""
from airflow.models import DagBag
bag = DagBag(dag_folder={str(tmp_path)!r}, include_examples=False)
names = sorted(os.path.basename(path) for path in bag.import_errors)
print(json.dumps([bag.dag_ids, names, bag.get_dag("good").dag_id, bag.get_dag("none"), bag.size()]))
"""
    assert run_python(INSTALL + code) == [["good"], ["bad.py", "round.py"], "good", None, 1]


def test_stats_are_sent_where_the_configuration_says_so() -> None:
    code = """
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 0))
server.settimeout(10)
os.environ["AIRFLOW__METRICS__STATSD_HOST"], os.environ["AIRFLOW__METRICS__STATSD_PORT"] = "127.0.0.1", str(server.getsockname()[1])
from airflow.stats import Stats
Stats.incr("unheard")
os.environ["AIRFLOW__METRICS__STATSD_ON"] = "True"
Stats.incr("rows written", 3)
Stats.gauge("level", 2.5)
with Stats.timer("took") as timer:
    pass
lines = [server.recv(100).decode() for _ in range(3)]
print(json.dumps([*lines[:2], lines[2].partition(":")[0], timer.duration >= 0]))
"""
    assert run_python(INSTALL + code) == ["airflow.rows_written:3|c", "airflow.level:2.5|g", "airflow.took", True]
