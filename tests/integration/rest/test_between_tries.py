"""What the REST API shows of a task instance that waits for its next try: the attempt that ended, as Airflow does."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from orchestrator.kernel.ids import new_id
from runs.models import RenderedFields, TaskInstanceHistory
from tests.factories import NOON, make_dag, make_run, make_ti

pytestmark = pytest.mark.django_db
PATH = "/api/v2/dags/d/dagRuns/r/taskInstances"


@pytest.fixture
def shown(client: Client) -> dict[str, Any]:
    run = make_run(make_dag())
    make_ti(run, state="up_for_retry", try_number=2, max_tries=3)
    for number, minutes in ((1, 0), (2, 5)):
        begun = NOON + timedelta(minutes=minutes)
        past = TaskInstanceHistory.objects.create(
            id=new_id(),
            dag_run=run,
            dag_id="d",
            run_id="r",
            task_id="t",
            state="failed",
            try_number=number,
            start_date=begun,
            end_date=begun + timedelta(seconds=3),
            duration=3.0,
            hostname="h",
            pid=number,
        )
        RenderedFields.objects.create(ti_id=past.pk, dag_run=run, fields=json.dumps({"op_args": [number]}))
    return client.get(PATH).json()["task_instances"][0]


def test_a_task_that_waits_for_a_retry_shows_the_times_of_the_try_that_ended(shown: dict[str, Any]) -> None:
    told = {name: shown[name] for name in ("state", "try_number", "start_date", "end_date", "duration", "hostname", "pid")}
    assert told == {
        "state": "up_for_retry",
        "try_number": 2,
        "start_date": "2026-01-05T12:05:00Z",
        "end_date": "2026-01-05T12:05:03Z",
        "duration": 3.0,
        "hostname": "h",
        "pid": 2,
    }


def test_a_task_that_waits_for_a_retry_shows_what_the_try_that_ended_rendered(shown: dict[str, Any]) -> None:
    assert shown["rendered_fields"] == {"op_args": [2]}
