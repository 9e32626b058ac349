"""Which DAGs a DAG triggers and waits for is known from its newest version, without reading its document."""

from __future__ import annotations

import importlib

import pytest
from django.apps import apps

from dags_app.models import DagLink
from tests.integration.dags_app.conftest import Folder

pytestmark = pytest.mark.django_db(transaction=True)

HEAD = """
from orchestrator.sdk import DAG
from orchestrator.sdk.operators.trigger_dagrun import TriggerDagRunOperator as Trigger
from orchestrator.sdk.sensors.external_task import ExternalTaskSensor as Sensor
with DAG("d", schedule=None):
"""


def links() -> set[tuple[str, str, str]]:
    return set(DagLink.objects.filter(dag="d").values_list("kind", "task_id", "other_dag_id"))


def test_links_follow_the_newest_version_and_are_filled_in_for_older_installations(folder: Folder) -> None:
    both = "    Trigger(task_id='a', trigger_dag_id='other')\n    Sensor(task_id='b', external_dag_id='before')\n"
    open_end = "    Trigger(task_id='c', trigger_dag_id='{{ params.which }}', params={'which': 'x'})\n"
    folder.write("d.py", both + open_end, head=HEAD)
    folder.parse()
    found = {("trigger", "a", "other"), ("sensor", "b", "before")}
    assert links() == found
    DagLink.objects.all().delete()
    importlib.import_module("dags_app.migrations.0006_dag_links").fill(apps, None)
    assert links() == found
    folder.write("d.py", both.replace("'other'", "'another'") + open_end, head=HEAD)
    folder.parse()
    assert links() == {("trigger", "a", "another"), ("sensor", "b", "before")}
