"""Schedules shown before they happen, by REST and by command (C24-b), and the choice on unpausing (C24-c)."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import AuditLog
from dags_app.models import Dag
from dags_app.services import dag_set_next_dagrun
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.definitions.timetables import CronTriggerTimetable, encode_timetable
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from tests.factories import make_dag

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def dag(db: None) -> Dag:
    start = utcnow() - timedelta(days=3)
    timetable = encode_timetable(CronTriggerTimetable("30 2 * * *", "Europe/Berlin"))
    fields = {"timezone": "Europe/Berlin", "start_date": start.isoformat(), "catchup": True}
    spec = DagSpec(dag_id="d", tasks=[TaskSpec(task_id="t")], timetable=timetable, **fields)
    made = make_dag("d", spec, is_paused=True)
    dag_set_next_dagrun(made, spec, None)
    return made


def test_a_dag_shows_its_ticks_in_its_own_zone(client: Client, dag: Dag) -> None:
    body = client.get("/api/v2/dags/d/schedulePreview?count=5").json()
    assert (len(body["previous"]), len(body["next"])) == (3, 5)
    assert all(tick["local"][11:16] == "02:30" and tick["zone"] in ("CET", "CEST") for tick in body["next"])
    assert client.get("/api/v2/dags/d/schedulePreview?count=0").status_code == 422
    assert client.get("/api/v2/dags/nope/schedulePreview").status_code == 404


def test_a_cron_expression_is_shown_before_it_is_saved(client: Client) -> None:
    body = {"cron": "0 6 * * 1", "timezone": "America/New_York"}
    answer = client.post("/api/v2/schedulePreview", body, content_type=JSON).json()
    assert len(answer["previous"]) == len(answer["next"]) == 20
    wrong = client.post("/api/v2/schedulePreview", {"cron": "61 * * * *"}, content_type=JSON)
    assert wrong.status_code == 422 and "61" in wrong.json()["detail"]
    nowhere = client.post("/api/v2/schedulePreview", body | {"timezone": "Mars/Base"}, content_type=JSON)
    assert nowhere.status_code == 422 and "Mars/Base" in nowhere.json()["detail"]


def test_the_command_prints_the_next_logical_dates(dag: Dag, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("dags", "next-execution", "d", "-n", "3")
    lines = capsys.readouterr().out.split()
    assert len(lines) == 3 and lines == sorted(lines)
    assert dag.next_dagrun_logical_date is not None and lines[0] == dag.next_dagrun_logical_date.isoformat()


def test_switching_on_takes_the_choice_about_missed_intervals(client: Client, dag: Dag) -> None:
    path = "/api/v2/dags/d/unpause"
    assert client.post(path, {"missed": "some"}, content_type=JSON).status_code == 422
    assert client.post(path, {"missed": "none"}, content_type=JSON).json()["is_paused"] is False
    assert client.post("/api/v2/dags/nope/unpause", {"missed": None}, content_type=JSON).status_code == 404
    entry = AuditLog.objects.get(event="unpaused")
    assert (entry.after["missed"], entry.after["skipped_intervals"]) == ("none", 3)
    dag.refresh_from_db()
    assert dag.next_dagrun_create_after is not None and dag.next_dagrun_create_after > utcnow()
