"""C09-c, C27-d: deliveries, mutes and deadlines over REST."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import AuditLog
from orchestrator.kernel.clock import utcnow
from runs.models import AlertMute, Callback
from tests.integration.callbacks.test_deadlines import CALL, FUTURE, PAST, QUEUED, look, run_of
from tests.integration.callbacks.test_deliveries import write

pytestmark = pytest.mark.django_db


def test_deliveries_are_listed_with_state_attempts_and_output(client: Client) -> None:
    write(number=2)
    Callback.objects.filter(dedupe_key="k1").update(state="failed", attempts=4, last_output="boom")
    body = client.get("/api/v2/dags/d/callbacks?state=failed").json()
    assert body["total_entries"] == 1
    (row,) = body["callbacks"]
    assert (row["state"], row["attempts"], row["output"], row["task_id"]) == ("failed", 4, "boom", "t")
    assert row["log_path"] == f"executor_callbacks/d/r/{row['id']}"
    assert client.get("/api/v2/dags/~/callbacks").json()["total_entries"] == 2
    assert client.get("/api/v2/dags/nope/callbacks").status_code == 404


def test_a_delivery_is_sent_again(client: Client) -> None:
    (row,) = write()
    Callback.objects.update(state="failed", attempts=4)
    answer = client.post(f"/api/v2/callbacks/{row.pk}/resend", content_type="application/json")
    assert answer.status_code == 200, answer.content
    assert (answer.json()["state"], answer.json()["attempts"]) == ("pending", 0)
    assert AuditLog.objects.filter(event="resend_callback", dag_id="d").exists()
    Callback.objects.update(state="running")
    assert client.post(f"/api/v2/callbacks/{row.pk}/resend", content_type="application/json").status_code == 409
    assert client.post("/api/v2/callbacks/999/resend", content_type="application/json").status_code == 404


def test_alerts_are_muted_until_a_moment(client: Client) -> None:
    write()
    until = (utcnow() + timedelta(hours=1)).isoformat()
    path = "/api/v2/dags/d/alertMute"
    assert client.get(path).status_code == 404
    answer = client.put(path, {"until": until, "reason": "release"}, content_type="application/json")
    assert answer.status_code == 200, answer.content
    assert client.get(path).json()["muted_by"] == "admin" and AlertMute.objects.get().reason == "release"
    assert client.delete(path).status_code == 204 and client.delete(path).status_code == 404
    late = {"until": (utcnow() - timedelta(hours=1)).isoformat()}
    assert client.put(path, late, content_type="application/json").status_code == 400


def test_deadlines_are_listed_with_their_callbacks(client: Client) -> None:
    from orchestrator.sdk.definitions.deadline import DeadlineAlert

    run_of(deadline=[DeadlineAlert(QUEUED, PAST, CALL, name="gone"), DeadlineAlert(QUEUED, FUTURE, CALL)])
    look()
    (missed,) = client.get("/api/v2/dags/d/deadlines?state=missed").json()["deadlines"]
    assert missed["name"] == "gone" and missed["callback_state"] == "pending"
    (item,) = client.get("/api/v2/dags/d/deadlines/upcoming").json()["deadlines"]
    assert item["deadline"]["state"] == "pending" and item["at_risk"] is False and item["predicted_end"] is None
