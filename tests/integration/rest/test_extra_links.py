"""Operator links through the REST API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs.models import TaskInstance, XCom
from tests.factories import NOON, make_dag, make_run, make_ti

PATH = "/api/v2/dags/d/dagRuns/r/taskInstances/t/links"


@pytest.fixture
def ti(db: None) -> TaskInstance:
    keys = {"Job": "_link_JobLink", "Bill": "_link_BillLink"}
    spec = DagSpec(dag_id="d", tasks=[TaskSpec(task_id="t", extra_links=list(keys), extra_link_keys=keys)])
    ti = make_ti(make_run(make_dag("d", spec), "r"), "t", state="success")
    values: dict[str, Any] = {"dag_run": ti.dag_run, "dag_id": "d", "run_id": "r", "task_id": "t", "timestamp": NOON}
    XCom.objects.create(key="_link_JobLink", value=json.dumps("https://jobs/7"), **values)
    return ti


def test_links_have_the_addresses_that_the_task_stored(client: Client, ti: TaskInstance, fits_schema: Any) -> None:
    answer = client.get(PATH)
    assert answer.status_code == 200
    assert answer.json() == {"extra_links": {"Bill": None, "Job": "https://jobs/7"}, "total_entries": 2}
    fits_schema("ExtraLinkCollectionResponse", answer.json())


@pytest.mark.parametrize(("query", "detail"), [("?map_index=3", "TaskInstance not found"), ("?try_number=9", "try_number=9")])
def test_what_is_not_there_is_404(client: Client, ti: TaskInstance, query: str, detail: str) -> None:
    answer = client.get(PATH + query)
    assert answer.status_code == 404
    assert detail in answer.json()["detail"]
