"""The REST operations on backfills against the recorded contract."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import AuditLog
from orchestrator.sdk.definitions.timetables import CronTriggerTimetable, encode_timetable
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs.models import Backfill, DagRun
from tests.factories import make_dag, make_run

pytestmark = pytest.mark.django_db
JSON = "application/json"
FIRST, LAST = "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"


@pytest.fixture
def dag(db: None) -> Any:
    timetable = encode_timetable(CronTriggerTimetable("@daily", "UTC"))
    return make_dag("d", DagSpec(dag_id="d", tasks=[TaskSpec(task_id="t")], timetable=timetable))


def order(client: Client, path: str = "", **fields: Any) -> Any:
    body = {"dag_id": "d", "from_date": FIRST, "to_date": LAST, **fields}
    return client.post(f"/api/v2/backfills{path}", body, content_type=JSON)


def test_a_backfill_is_created_listed_read_paused_and_cancelled(
    client: Client, dag: Any, fits_schema: Callable[[str, dict[str, Any]], None]
) -> None:
    created = order(client, reprocess_behavior="failed", max_active_runs=3)
    assert created.status_code == 200
    body = created.json()
    fits_schema("BackfillResponse", body)
    assert (body["from_date"], body["reprocess_behavior"], body["dag_run_conf"]) == (FIRST, "failed", None)
    path = f"/api/v2/backfills/{body['id']}"
    listed = client.get("/api/v2/backfills?dag_id=d").json()
    fits_schema("BackfillCollectionResponse", listed)
    assert listed["total_entries"] == 1 and client.get(path).json() == listed["backfills"][0]
    assert client.put(f"{path}/pause").json()["is_paused"] is True
    assert client.put(f"{path}/unpause").json()["is_paused"] is False
    cancelled = client.put(f"{path}/cancel").json()
    assert cancelled["is_paused"] is True and cancelled["completed_at"]
    for word in ("pause", "unpause", "cancel"):
        again = client.put(f"{path}/{word}")
        assert (again.status_code, again.json()) == (409, {"detail": "Backfill is already completed."})
    events = set(AuditLog.objects.values_list("event", flat=True))
    assert {"create_backfill", "pause_backfill", "unpause_backfill", "cancel_backfill"} <= events


def test_the_dry_run_lists_what_would_run_and_changes_nothing(
    client: Client, dag: Any, fits_schema: Callable[[str, dict[str, Any]], None]
) -> None:
    make_run(dag, "r", logical_date=datetime(2026, 1, 2, tzinfo=UTC), state="success")
    body = order(client, "/dry_run", run_backwards=True).json()
    fits_schema("DryRunBackfillCollectionResponse", body)
    assert [date["logical_date"][8:10] for date in body["backfills"]] == ["04", "03", "01"]
    assert body["total_entries"] == 3 and not Backfill.objects.exists()


def test_the_preview_names_every_date_with_its_present_run(client: Client, dag: Any) -> None:
    """C22-b."""
    make_run(dag, "r", logical_date=datetime(2026, 1, 2, tzinfo=UTC), state="failed")
    body = order(client, "/preview", reprocess_behavior="failed").json()
    assert body["counts"] == {"create": 3, "rerun": 1, "skip": 0}
    second = body["dates"][1]
    assert (second["dag_run_id"], second["state"], second["action"]) == ("r", "failed", "rerun")


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"dag_id": "nope"}, 404, "Could not find dag nope"),
        (
            {"from_date": "2036-01-01T00:00:00Z", "to_date": "2036-01-02T00:00:00Z"},
            422,
            "Backfill cannot be executed for future dates.",
        ),
        (
            {"from_date": "2026-01-03T00:00:00Z", "to_date": "2026-01-02T00:00:00Z"},
            422,
            "from_date (2026-01-03T00:00:00+00:00) must not be after to_date (2026-01-02T00:00:00+00:00).",
        ),
    ],
)
def test_refusals_have_the_recorded_answers(client: Client, dag: Any, fields: dict[str, Any], status: int, said: str) -> None:
    for path in ("", "/dry_run"):
        answer = order(client, path, **fields)
        assert (answer.status_code, answer.json()) == (status, {"detail": said})


def test_a_second_backfill_is_a_conflict_and_a_dag_without_schedule_cannot_have_one(client: Client, dag: Any) -> None:
    make_dag("manual")
    answer = order(client, dag_id="manual")
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "manual has a non-periodic schedule that does not support backfills",
    )
    assert order(client).status_code == 200
    second = order(client)
    assert (second.status_code, second.json()["detail"]) == (409, "There is already a running backfill for dag d")
    assert order(client, "/dry_run").status_code == 200


def test_the_dates_of_a_backfill_say_their_run_or_why_there_is_none(client: Client, dag: Any) -> None:
    make_run(dag, "r", logical_date=datetime(2026, 1, 2, tzinfo=UTC), state="success")
    pk = order(client).json()["id"]
    body = client.get(f"/api/v2/backfills/{pk}/dates").json()
    assert [(row["position"], row["state"], row["exception_reason"]) for row in body["dates"]] == [
        (1, "queued", None),
        (2, None, "already exists"),
        (3, "queued", None),
        (4, "queued", None),
    ]
    assert body["blocked"] == []


def test_unknown_ids_and_missing_parameters_are_answered_as_recorded(client: Client) -> None:
    for method, path in (("get", ""), ("put", "/pause"), ("put", "/unpause"), ("put", "/cancel")):
        answer = getattr(client, method)(f"/api/v2/backfills/999999{path}")
        assert (answer.status_code, answer.json()) == (404, {"detail": "Backfill not found"})
    missing = client.get("/api/v2/backfills")
    assert (missing.status_code, missing.json()["detail"][0]["loc"]) == (422, ["query", "dag_id"])


def test_the_commands_do_the_same(dag: Any, capsys: pytest.CaptureFixture[str]) -> None:
    dates = ("--dag-id", "d", "--from-date", "2026-01-01", "--to-date", "2026-01-02")
    call_command("backfill", "create", *dates, "--dry-run")
    assert "2026-01-01 00:00:00+00:00  no run  create" in capsys.readouterr().out and not DagRun.objects.exists()
    call_command("backfill", "create", *dates, "--dag-run-conf", '{"a": 1}', "--run-backwards")
    backfill = Backfill.objects.get()
    assert backfill.run_backwards and backfill.dag_run_conf == {"a": 1} and DagRun.objects.count() == 2
    call_command("backfill", "pause", str(backfill.pk))
    call_command("backfill", "list")
    assert "paused" in capsys.readouterr().out
    call_command("backfill", "cancel", str(backfill.pk))
    with pytest.raises(CommandError, match="already completed"):
        call_command("backfill", "unpause", str(backfill.pk))
