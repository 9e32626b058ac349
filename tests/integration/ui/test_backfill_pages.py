"""A backfill is ordered for the dates that its form showed; the list and its page tell how far it is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditLog
from dags_app.models import Dag
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs.models import Backfill, BackfillRun, DagRun
from tests.factories import NOON, make_dag, make_run
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db

FORM = "/dags/daily/backfill"
DAILY = {"type": "CronDataIntervalTimetable", "expression": "0 0 * * *", "timezone": "UTC", "interval_offset": 0}
DATES = {"from_date": "2025-03-01T00:00", "to_date": "2025-03-04T00:00", "asked": "yes"}


@pytest.fixture
def dag() -> Dag:
    spec = DagSpec(dag_id="daily", timetable=DAILY, tasks=[TaskSpec(task_id="t")], params={"size": {"value": 1, "schema": {}}})
    return make_dag("daily", spec)


@pytest.fixture
def client(dag: Dag) -> Client:
    return client_of("User", name="ann")


def order(client: Client, **changed: Any) -> Any:
    data = DATES | {"max_active_runs": "3", "reprocess": "none", "source": "fields", "param.size": "1", "conf": "{}"} | changed
    shown = client.get(FORM, data)
    return client.post(FORM, data | {"previewed": shown.context["backfill"].signature})


def test_the_form_shows_the_dates_before_anything_is_ordered(client: Client, dag: Dag) -> None:
    make_run(dag, "there", state="failed", logical_date=datetime(2025, 3, 2, tzinfo=UTC))
    seen = client.get(FORM, DATES | {"reprocess": "failed"}).context["foreseen"]
    assert (seen.total, seen.runs, dict(seen.counts)) == (4, 4, {"create": 3, "rerun": 1})
    assert client.get(FORM, DATES).context["foreseen"].counts["skip"] == 1
    backwards = client.get(FORM, DATES | {"run_backwards": "on"}).context["foreseen"]
    assert backwards.dates[0].info.logical_date.day == 4
    assert "Give both dates" in client.get(FORM).content.decode()
    wrong = client.get(FORM, DATES | {"to_date": "2025-02-01T00:00"})
    assert "must not be after" in wrong.content.decode() and wrong.context["foreseen"] is None
    assert not Backfill.objects.exists()


def test_what_was_shown_is_ordered_and_audited(client: Client) -> None:
    answer = order(client, gives_conf="on", **{"param.size": "5"})
    made = Backfill.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/backfills/{made.pk}")
    assert (made.max_active_runs, made.reprocess_behavior, made.dag_run_conf) == (3, "none", {"size": 5})
    assert DagRun.objects.filter(backfill=made).count() == 4
    assert AuditLog.objects.get(event="create_backfill").owner == "ann"
    again = order(client)
    assert again.status_code == 422 and "already a running backfill" in again.content.decode()


def test_other_dates_than_those_shown_a_wrong_number_and_a_wrong_configuration_are_not_ordered(client: Client) -> None:
    assert client.post(FORM, DATES | {"previewed": "other", "max_active_runs": "3"}).status_code == 422
    assert order(client, max_active_runs="0").status_code == 422
    assert order(client, from_date="").status_code == 422
    assert order(client, gives_conf="on", source="json", conf="{").status_code == 422
    assert order(client, conf="{").status_code == 302  # a configuration that is not given does not count


def test_a_backfill_is_paused_resumed_and_cancelled(client: Client) -> None:
    order(client)
    url = f"/backfills/{Backfill.objects.get().pk}"
    assert "It has 4 runs." in client.get(f"{url}/cancel").content.decode()
    for word, event in (("pause", "pause_backfill"), ("unpause", "unpause_backfill"), ("cancel", "cancel_backfill")):
        assert client.post(f"{url}/{word}").status_code == 302
        assert AuditLog.objects.get(event=event).owner == "ann"
    assert client.post(f"{url}/cancel").status_code == 409
    assert set(DagRun.objects.values_list("state", flat=True)) == {"failed"}
    viewer = client_of("Viewer")
    assert viewer.get(url).status_code == viewer.get("/backfills").status_code == 200
    assert viewer.post(f"{url}/cancel").status_code == viewer.get(FORM).status_code == 403
    assert client.get("/backfills/999").status_code == client.post("/backfills/999/pause").status_code == 404
    assert client.get("/dags/none/backfill").status_code == 404


def some(dag: Dag, number: int, **fields: Any) -> Backfill:
    values = {"from_date": NOON, "to_date": NOON, "created_at": NOON, "updated_at": NOON, "completed_at": NOON, **fields}
    made = Backfill.objects.create(dag=dag, **values)
    for index, state in enumerate(("success", "failed", "success", "running")):
        run = make_run(dag, f"b{number}-{index}", state=state, run_after=NOON + timedelta(days=index))
        BackfillRun.objects.create(backfill=made, dag_run=run, sort_ordinal=index)
    BackfillRun.objects.create(backfill=made, sort_ordinal=9, exception_reason="already exists")
    return made


def test_c07_the_list_counts_progress_with_as_many_queries_for_many(client: Client, dag: Dag) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get("/backfills").status_code == 200
        return len(seen)

    for number in range(2):
        some(dag, number)
    few = queries()
    for number in range(2, 20):
        some(dag, number, cancelled_at=NOON)
    assert queries() == few
    row = client.get("/backfills?state=completed").context["list"].rows[0]
    assert (row.progress.done, row.progress.total, row.progress.failed, row.shown_state) == (3, 4, 1, "completed")
    assert client.get("/backfills?state=cancelled").context["list"].total == 18
    page = client.get(f"/backfills/{row.pk}").content.decode()
    assert "already exists" in page and "3 succeeded" not in page and "2 succeeded" in page
