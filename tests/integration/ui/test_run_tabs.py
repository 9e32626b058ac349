"""The tabs of a run beside its overview: details, code, asset events, audit log."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditLog, DagRule
from accounts.roles import Role
from dags_app.models import Asset, AssetAlias, Dag, DagCode, DagVersion
from orchestrator.kernel.ids import new_id
from runs import live
from runs.models import AssetDelivery, AssetEvent, DagRun
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db

PATH = "/dags/shop/runs/r"
TABS = ("details", "code", "asset_events", "events")


@pytest.fixture
def dag() -> Dag:
    made = make_dag("shop")
    DagVersion.objects.filter(dag=made).update(code=DagCode.objects.create(pk="a" * 32, source_code="first = 1\n"))
    return made


@pytest.fixture
def run(dag: Dag) -> DagRun:
    return make_run(dag, state="success", end_date=NOON + timedelta(seconds=64), conf={"size": {"deep": [1, 2]}})


@pytest.fixture
def client(dag: Dag, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(live, "monotonic", lambda: 1000.0)
    return client_of("Viewer")


def text(client: Client, path: str) -> str:
    answer = client.get(f"{PATH}{path}")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert client.get(f"{PATH}{path}").status_code == 200
    return len(seen)


def test_every_tab_has_the_head_and_the_other_tabs_and_goes_to_the_same_tab_of_the_next_run(
    client: Client, dag: Dag, run: DagRun
) -> None:
    make_run(dag, "next", run_after=NOON + timedelta(days=1))
    for tab in TABS:
        page = text(client, f"/{tab}")
        assert page.count("<h1") == 1 and 'data-run-state="success"' in page
        assert f'href="/dags/shop/runs/next/{tab}" data-key="]"' in page
        assert all(f'href="{PATH}/{other}"' in page for other in TABS)
        assert client.get(f"/dags/shop/runs/none/{tab}").status_code == 404


def test_details_show_all_fields_the_configuration_and_the_usual_duration(client: Client, dag: Dag, run: DagRun) -> None:
    for place in range(5):
        began = NOON - timedelta(days=place + 1)
        make_run(
            dag, f"s{place}", state="success", run_after=began, start_date=began, end_date=began + timedelta(seconds=10 * place)
        )
    make_ti(run, "t")
    page = text(client, "/details")
    assert (
        "Of 5 successful runs before this one" in page
        and "<dt>P50</dt><dd>20 s</dd>" in page
        and "<dt>P95</dt><dd>40 s</dd>" in page
    )
    assert "<dt>Versions its tasks use</dt><dd>v1</dd>" in page and "deep" in page
    DagRun.objects.filter(pk=run.pk).update(conf={}, start_date=None, end_date=None)
    assert "no configuration" in text(client, "/details")


def test_code_is_that_of_the_version_of_the_run(client: Client, dag: Dag, run: DagRun) -> None:
    newer = DagCode.objects.create(pk="b" * 32, source_code="second = 2\n")
    values = {"structure_hash": str(new_id()), "attributes_hash": "a", "document": "{}", "code": newer}
    dag.latest_version = DagVersion.objects.create(dag=dag, version_number=2, **values)
    dag.save()
    assert "first" in text(client, "/code") and "second" not in text(client, "/code")
    other = text(client, "/code?version=2")
    assert "second" in other and "No task of this run uses this version" in other and "newest" in other
    assert "has no version 9" in text(client, "/code?version=9")
    DagVersion.objects.filter(version_number=1).update(code=None)
    assert "No code is kept" in text(client, "/code")
    DagRun.objects.update(created_dag_version=None)
    assert "second" in text(client, "/code")


def test_asset_events_are_those_that_the_run_took_and_made(client: Client, dag: Dag, run: DagRun) -> None:
    assert "No asset event started this run: it is a manual one" in text(client, "/asset_events")
    asset = Asset.objects.create(name="orders", uri="x://orders")

    def add(number: int) -> None:
        for place in range(number):
            source = {"source_dag_id": "shop", "source_run_id": "r", "source_task_id": "t", "source_map_index": -1}
            made = AssetEvent.objects.create(asset=asset, timestamp=NOON, extra={"rows": place}, **source)
            made.aliases.add(AssetAlias.objects.get_or_create(name="by_region")[0])
            taken = AssetEvent.objects.create(asset=asset, timestamp=NOON, partition_key="p", extra={"from_rest_api": True})
            AssetDelivery.objects.create(event=taken, dag=dag, asset=asset, created_at=NOON, dag_run=run)
            other = make_run(dag, str(new_id()))
            AssetDelivery.objects.create(event=made, dag=dag, asset=asset, created_at=NOON, dag_run=other)

    add(1)
    few = queries(client, "/asset_events")
    add(20)
    assert queries(client, "/asset_events") == few
    page = text(client, "/asset_events")
    assert "rows=0" in page and "by_region" in page and "by hand" in page and f'href="{PATH}/tasks/t"' in page


def test_an_event_that_a_hidden_dag_made_is_left_out(dag: Dag, run: DagRun) -> None:
    make_dag("secret")
    asset = Asset.objects.create(name="orders", uri="x://orders")
    taken = AssetEvent.objects.create(asset=asset, timestamp=NOON, source_dag_id="secret", source_run_id="r")
    AssetDelivery.objects.create(event=taken, dag=dag, asset=asset, created_at=NOON, dag_run=run)
    narrow = client_of("Viewer", name="narrow")
    DagRule.objects.create(user_id=int(narrow.session["_auth_user_id"]), dag_id="shop", role=Role.VIEWER)
    assert "secret" not in text(narrow, "/asset_events")
    answer = narrow.get("/api/v2/dags/shop/dagRuns/r/upstreamAssetEvents")
    assert (answer.status_code, answer.json()["asset_events"]) == (200, [])


def test_the_audit_log_says_who_changed_what(client: Client, run: DagRun) -> None:
    assert "Nothing was done here yet" in text(client, "/events")

    def add(number: int, **fields: Any) -> None:
        for _ in range(number):
            AuditLog.objects.create(event="clear_dag_run", dag_id="shop", run_id="r", **fields)

    add(1, owner="eve", task_id="t", before={"state": "failed"}, after={"state": None}, extra='{"x": 1}', reason="disk was full")
    AuditLog.objects.create(event="other", dag_id="shop", run_id="another")
    page = text(client, "/events")
    assert (
        "clear dag run" in page
        and "eve" in page
        and "<del>failed</del> → </div>" not in page
        and "<del>failed</del>" in page
        and "disk was full" in page
    )
    assert client.get(f"{PATH}/events").context["list"].total == 1
    few = queries(client, "/events")
    add(40)
    assert queries(client, "/events") == few
    assert "Nothing matches" in text(client, "/events?event_pattern=nope")
    assert "eve" in b"".join(client.get(f"{PATH}/events?format=csv")).decode()


def test_tabs_of_a_run_of_a_removed_dag_are_shown(run: DagRun) -> None:
    Dag.objects.all().delete()
    client = client_of("Admin")
    assert all(text(client, f"/{tab}") for tab in TABS)
    assert "No version is known" in text(client, "/code")
