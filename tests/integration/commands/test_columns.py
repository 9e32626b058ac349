"""C28, C31: commands that read print the columns of Airflow 3.3.2 in ``-o json``, in its kinds of values."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from dags_app.models import Asset, AssetReference, Plugin
from orchestrator.kernel.clock import utcnow
from tests.factories import make_dag, make_run, make_ti
from vault.services import connection_set, variable_set

pytestmark = pytest.mark.django_db

# By command: the columns of the example DAGs, and what kind of value each held.
AIRFLOW: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("airflow_columns.json").read_text())
ARGUMENTS = {
    "dags details": ["d"],
    "dags list-runs": ["d"],
    "dags trigger": ["d"],
    "dags unpause": ["d"],
    "tasks states-for-dag-run": ["d", "r"],
    "assets details": ["--name", "a"],
    "connections get": ["x1"],
    "providers get": ["apache-airflow-providers-standard"],
}
# What of a row of Airflow's has no counterpart here.
NOT_HERE = {
    "plugins": {"admin_views", "menu_links"},  # of Airflow 1
    "info": set(),
}
KINDS = {str: "text", list: "list", dict: "mapping", type(None): "nothing"}


@pytest.fixture(autouse=True)
def one_of_each(airflow_home: Path) -> Any:
    dag = make_dag(is_paused=True, owners="airflow")
    make_ti(make_run(dag, logical_date=datetime(2026, 1, 5, tzinfo=UTC)), state="success")
    AssetReference.objects.create(dag=dag, role="outlet", task_id="t", asset=Asset.objects.create(name="a", uri="s3://a"))
    Plugin.objects.create(name="p", source="p.py", content={"macros": ["m"]}, loaded_at=utcnow())
    connection_set("x1", conn_type="http", host="h")
    variable_set("a", "b")
    file = airflow_home / "dags" / "columns.py"
    file.write_text('from airflow.sdk import DAG\ndag = DAG("columns", schedule=None)\n')
    yield
    file.unlink()


@pytest.mark.parametrize("command", AIRFLOW)
def test_a_command_prints_airflows_columns(command: str) -> None:
    out = io.StringIO()
    call_command(*command.split(), *ARGUMENTS.get(command, []), "-o", "json", stdout=out, stderr=io.StringIO())
    rows = json.loads(out.getvalue())
    ours = {name for row in rows for name in row}
    wanted = AIRFLOW[command]
    assert set(wanted) - ours == NOT_HERE.get(command, set())
    for row in rows:
        kinds = {name: KINDS[type(value)] for name, value in row.items() if name in wanted}
        assert {n: (k, wanted[n]) for n, k in kinds.items() if "nothing" not in (k, wanted[n]) and k != wanted[n]} == {}
