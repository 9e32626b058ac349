"""Assets are listed, shown with their events, drawn, and acted on by those who may."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditLog, DagRule
from accounts.roles import Role
from dags_app.graph.between_dags import around
from dags_app.models import Asset, AssetAlias, AssetReference, Dag, DagLink
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs.models import AssetDelivery, AssetEvent, AssetState, DagRun
from runs.pages.freshness import freshness
from tests.factories import NOON, make_dag, make_run
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db
Kind = AssetReference.Role


@pytest.fixture
def orders() -> Asset:
    """An asset that one DAG writes and another waits for, with an event that started a run and one that waits."""
    writer = make_dag("writer", DagSpec(dag_id="writer", tasks=[TaskSpec(task_id="write")]))
    reader = make_dag("reader")
    asset = Asset.objects.create(name="orders <x>", uri="s3://orders", group="sales", extra={"owner": "ann"})
    AssetReference.objects.create(dag=writer, role=Kind.OUTLET, task_id="write", asset=asset)
    AssetReference.objects.create(dag=reader, role=Kind.SCHEDULE, asset=asset)
    AssetReference.objects.create(dag=reader, role=Kind.INLET, task_id="t", asset=asset)
    AssetAlias.objects.create(name="any_orders").assets.add(asset)
    run = make_run(reader, "asset_triggered__1", state="success", run_type="asset_triggered")
    first = event(asset, source_dag_id="writer", source_task_id="write", source_run_id="gone", extra={"rows": 3})
    second = event(asset, at=timedelta(hours=1), partition_key="eu")
    AssetDelivery.objects.create(event=first, dag=reader, asset=asset, dag_run=run, created_at=NOON, taken_at=NOON)
    AssetDelivery.objects.create(event=second, dag=reader, asset=asset, created_at=NOON)
    AssetState.objects.create(asset=asset, key="a/b", value='{"n": 1}', updated_at=NOON, writer={"kind": "api"})
    return asset


def event(asset: Asset, at: timedelta = timedelta(0), **fields: Any) -> AssetEvent:
    return AssetEvent.objects.create(asset=asset, timestamp=NOON + at, **fields)


@pytest.fixture
def op(orders: Asset) -> Client:
    return client_of("Op", name="olga")


def test_a_dag_has_a_tab_with_the_assets_that_it_names(op: Client, orders: Asset) -> None:
    Asset.objects.create(name="strange", uri="strange")
    for dag_id in ("writer", "reader"):
        page = op.get(f"/dags/{dag_id}/assets")
        assert [row.pk for row in page.context["list"].rows] == [orders.pk]
        assert f"?focus=dag:{dag_id}" in page.content.decode() and 'aria-current="page">Assets' in page.content.decode()
        assert "Nothing here is named" not in op.get(f"/assets/graph?focus=dag:{dag_id}").content.decode()
    make_dag("bare")
    assert "This DAG names none" in op.get("/dags/bare/assets").content.decode()


def test_the_list_shows_who_writes_reads_and_awaits_each(op: Client, orders: Asset) -> None:
    page = op.get("/assets")
    (row,) = page.context["list"].rows
    assert (row.starts, row.queued, [ref.task_id for ref in row.producers]) == (["reader"], 1, ["write"])
    text = page.content.decode()
    assert "orders &lt;x&gt;" in text and "any_orders" in text and "1 DAG" in text
    Asset.objects.create(name="other", uri="other", is_active=False)
    assert op.get("/assets").context["list"].total == 1
    assert op.get("/assets?only_active=false").context["list"].total == 2
    assert op.get("/assets?name_pattern=orders&dag_ids=reader").context["list"].total == 1
    assert op.get("/assets?dag_ids=nobody").context["list"].total == 0
    assert b"orders <x>" in b"".join(op.get("/assets?format=csv").streaming_content)
    assert op.get("/assets?order_by=nonsense").status_code == 400


def test_the_page_of_an_asset_has_events_queues_values_and_lineage(op: Client, orders: Asset) -> None:
    page = op.get(f"/assets/{orders.pk}")
    text = page.content.decode()
    assert [row.partition_key for row in page.context["list"].rows] == ["eu", None]
    assert "asset_triggered__1" in text and "/dags/writer/runs/gone" in text and "a/b" in text
    assert [(item.dag_id, item.number) for item in page.context["queues"]] == [("reader", 1)]
    drawn = {node["id"]: node for node in page.context["document"]["nodes"]}
    assert drawn[f"asset:{orders.pk}"]["is_focus"] and {"dag:writer", "dag:reader"} < drawn.keys()
    assert page.context["document"]["states"] == {"dag:reader": {"success": 1}}
    assert op.get(f"/assets/{orders.pk}?source_dag_id=writer").context["list"].total == 1
    assert op.get("/assets/999").status_code == op.get(f"/assets/{orders.pk}/events/99").status_code == 404
    assert op.get(f"/assets/{orders.pk}?timestamp_gte=soon").status_code == 400


def test_what_became_of_an_event_is_said_for_each_consumer(op: Client, orders: Asset) -> None:
    consumed, waiting = AssetEvent.objects.order_by("timestamp")
    assert "Run asset_triggered__1 of DAG reader has it" in op.get(f"/assets/{orders.pk}/events/{consumed.pk}").content.decode()
    assert "waiting" in op.get(f"/assets/{orders.pk}/events/{waiting.pk}").content.decode()
    AssetDelivery.objects.all().delete()
    assert "No DAG waited" in op.get(f"/assets/{orders.pk}/events/{waiting.pk}").content.decode()


def test_an_event_is_made_by_hand_and_audited(op: Client, orders: Asset) -> None:
    url = f"/assets/{orders.pk}/event"
    assert "counts as if a task had written" in op.get(url).content.decode()
    for wrong in ("{", "[1]", "7", '{"a": NaN}', '{"a": "\\u0000"}'):
        assert op.post(url, {"extra": wrong}).status_code == 422
    assert op.post(url, {"partition_key": "k" * 251}).status_code == 422
    assert AssetEvent.objects.count() == 2
    assert op.post(url, {"extra": '{"rows": 5}', "partition_key": " "}).status_code == 302
    made = AssetEvent.objects.latest("pk")
    assert (made.extra, made.partition_key) == ({"rows": 5, "from_ui": True}, None)
    assert AssetDelivery.objects.filter(event=made, dag="reader").exists()
    assert AuditLog.objects.get(event="create_asset_event").owner == "olga"


def test_materializing_starts_the_one_dag_that_writes_the_asset(op: Client, orders: Asset) -> None:
    url = f"/assets/{orders.pk}/materialize"
    assert "A run of <strong>writer</strong>" in op.get(url).content.decode()
    for wrong in ("{", '{"a": NaN}', '{"a": "\\u0000"}'):
        assert op.post(url, {"conf": wrong}).status_code == 422
    answer = op.post(url, {"conf": '{"a": 1}', "note": "again"})
    run = DagRun.objects.get(dag="writer")
    assert answer["Location"] == f"/dags/writer/runs/{run.run_id}"
    assert (run.run_type, run.conf, run.triggering_user_name) == ("asset_materialization", {"a": 1}, "olga")
    assert AuditLog.objects.get(event="materialize_asset").dag_id == "writer"
    AssetReference.objects.create(dag=make_dag("second"), role=Kind.OUTLET, task_id="t", asset=orders)
    assert "More than one DAG" in op.get(url).content.decode()
    assert op.post(url, {}).status_code == 422
    AssetReference.objects.filter(role=Kind.OUTLET).delete()
    assert "No DAG writes this asset" in op.get(url).content.decode()


def test_values_with_names_that_no_address_can_carry_are_listed_all_the_same(op: Client, orders: Asset) -> None:
    writer = {"dag_id": "writer", "run_id": "by/hand"}
    AssetState.objects.create(asset=orders, key="odd\nkey", value='"odd value"', updated_at=NOON, writer=writer)
    assert "odd value" in op.get(f"/assets/{orders.pk}").content.decode()


def test_queues_are_emptied_and_values_forgotten(op: Client, orders: Asset) -> None:
    url = f"/assets/{orders.pk}"
    assert "1 event will start no run of DAG reader" in op.get(f"{url}/queue/reader/empty").content.decode()
    assert op.post(f"{url}/queue/reader/empty").status_code == 302
    assert op.post(f"{url}/queue/empty").status_code == 409
    assert AuditLog.objects.get(event="delete_queued_events").dag_id == "reader"
    assert op.get(f"{url}/values/a/b/forget").status_code == 200
    assert op.post(f"{url}/values/a/b/forget").status_code == 302
    assert not AssetState.objects.exists()
    assert AuditLog.objects.get(event="delete_asset_state_store").owner == "olga"
    assert op.get(f"{url}/values/a/b/forget").status_code == 404


def test_who_may_only_read_is_offered_nothing_else(orders: Asset) -> None:
    viewer = client_of("Viewer")
    text = viewer.get(f"/assets/{orders.pk}").content.decode()
    assert "Create event" not in text and "Materialize" not in text and "/forget" not in text and "/empty" not in text
    for word in ("event", "materialize", "queue/empty", "queue/reader/empty", "values/a/b/forget"):
        assert viewer.get(f"/assets/{orders.pk}/{word}").status_code == 403
        assert client_of("User", name=word).post(f"/assets/{orders.pk}/{word}").status_code == 403
    assert Client().get("/assets").status_code == 302


def test_assets_of_hidden_dags_are_hidden(orders: Asset) -> None:
    make_dag("own")
    mine = Asset.objects.create(name="mine", uri="mine")
    AssetReference.objects.create(dag=Dag.objects.get(pk="own"), role=Kind.SCHEDULE, asset=mine)
    AssetReference.objects.create(dag=Dag.objects.get(pk="writer"), role=Kind.OUTLET, task_id="write", asset=mine)
    stranger = client_of("Op", name="sam")
    DagRule.objects.create(user_id=int(stranger.session["_auth_user_id"]), dag_id="own", role=Role.OP)
    assert [row.name for row in stranger.get("/assets").context["list"].rows] == ["mine"]
    assert stranger.get(f"/assets/{orders.pk}").status_code == stranger.post(f"/assets/{orders.pk}/event").status_code == 404
    for path in ("/assets", "/assets/graph", "/dependencies", f"/assets/{mine.pk}"):
        text = stranger.get(path).content.decode()
        assert "mine" in text and "writer" not in text and "orders" not in text


def test_files_of_assets_do_not_tell_hidden_dags_either(orders: Asset) -> None:
    stranger = client_of("Op", name="sam")
    DagRule.objects.create(user_id=int(stranger.session["_auth_user_id"]), dag_id="reader", role=Role.OP)
    event(orders, source_dag_id="reader")
    AssetDelivery.objects.create(event=AssetEvent.objects.latest("pk"), dag_id="writer", asset=orders, created_at=NOON)
    for path in ("/assets", f"/assets/{orders.pk}"):
        text = b"".join(stranger.get(path, {"format": "csv"}).streaming_content).decode()  # type: ignore[attr-defined]
        assert "reader" in text and "writer" not in text


def test_the_lineage_is_drawn_whole_around_one_node_and_with_links(op: Client, orders: Asset) -> None:
    document = op.get("/assets/graph?fragment=json").json()
    assert {"s": "dag:writer", "t": f"asset:{orders.pk}"} in document["edges"]
    assert {node["id"] for node in document["nodes"] if node["kind"] == "group"} == {"group:sales"}
    ids = [node["id"] for node in document["nodes"]]
    assert ids.index("dag:writer") < ids.index(f"asset:{orders.pk}") < ids.index("dag:reader")
    near = op.get("/assets/graph?fragment=json&focus=writer&depth=1").json()
    assert "dag:reader" not in {node["id"] for node in near["nodes"]}
    assert "Nothing here is named x" in op.get("/assets/graph?focus=x").content.decode()
    make_dag("child")
    DagLink.objects.create(dag_id="reader", kind="trigger", task_id="go", label="go", other_dag_id="child")
    DagLink.objects.create(dag_id="reader", kind="trigger", task_id="no", label="no", other_dag_id="not there")
    assert "dag:child" not in str(op.get("/assets/graph?fragment=json").json())
    assert "trigger:reader:child:go" in str(op.get("/dependencies?fragment=json").json())
    page = op.get("/dependencies").content.decode()
    assert page.count("<h1") == 1 and "no run yet" in page


def test_circles_and_references_without_an_asset_are_drawn_too(op: Client, orders: Asset) -> None:
    reader = Dag.objects.get(pk="reader")
    AssetReference.objects.create(dag=reader, role=Kind.OUTLET, task_id="t", asset=orders)
    AssetReference.objects.create(dag=reader, role=Kind.SCHEDULE, name="nobody has it")
    AssetReference.objects.create(dag=reader, role=Kind.SCHEDULE, uri="s3://orders")
    for path in ("/assets/graph", f"/assets/{orders.pk}"):
        assert "nobody has it" in op.get(path).content.decode()
    assert "Nothing hangs together yet" not in op.get("/assets/graph").content.decode()
    AssetReference.objects.all().delete()
    assert "Nothing hangs together yet" in op.get("/assets/graph").content.decode()
    assert op.get(f"/assets/{orders.pk}").status_code == 200


def test_a_graph_that_is_too_large_asks_for_a_name(op: Client, orders: Asset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runs.pages.lineage.MOST_DRAWN", 2)
    page = op.get("/assets/graph")
    assert "too many for one picture" in page.content.decode() and not page.context["graph"].drawing.nodes
    assert op.get("/assets/graph?focus=writer&depth=1").context["graph"].drawing.nodes


def test_c07_pages_of_assets_ask_as_much_for_many_as_for_few(op: Client, orders: Asset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runs.live.TICK_SECONDS", 1e9)
    paths = ("/assets", f"/assets/{orders.pk}", "/assets/graph", "/dependencies")

    def queries(path: str) -> int:
        op.get(path)
        with CaptureQueriesContext(connection) as seen:
            assert op.get(path).status_code == 200
        return len(seen)

    few = {path: queries(path) for path in paths}
    for number in range(15):
        dag = make_dag(f"more_{number}")
        asset = Asset.objects.create(name=f"a{number}", uri=f"a{number}", group=f"g{number}")
        AssetReference.objects.create(dag=dag, role=Kind.OUTLET, task_id="t", asset=asset)
        AssetReference.objects.create(dag=dag, role=Kind.SCHEDULE, asset=orders)
        made = event(orders, at=timedelta(minutes=number))
        AssetDelivery.objects.create(event=made, dag=dag, asset=orders, dag_run=make_run(dag), created_at=NOON)
        AssetDelivery.objects.create(event=event(asset), dag=dag, asset=asset, created_at=NOON)
    assert {path: queries(path) for path in paths} == few


def test_freshness_is_the_age_against_the_usual_time_between_events() -> None:
    now = utcnow()
    hourly = [now - timedelta(hours=hours, minutes=10) for hours in range(9, -1, -1)]
    found = freshness(hourly, now)
    assert (found.usual, found.verdict) == (3600, "fresh")
    assert freshness(hourly[:-2], now).verdict == "late"
    assert freshness(hourly[:-4], now).verdict == "overdue"
    assert (freshness([], now).verdict, freshness(hourly[:2], now).usual) == ("", None)
    # Several events of one run count as one.
    bursts = sorted(at + timedelta(seconds=second) for at in hourly for second in range(3))
    assert freshness(bursts, now).usual == pytest.approx(3600, abs=5)
    assert freshness([now, now, now, now, now], now).usual is None


def test_around_takes_one_way_or_both_and_counts_steps() -> None:
    edges = [("a", "b"), ("b", "c"), ("c", "a"), ("x", "b")]
    graph = {"nodes": [{"id": name} for name in "abcxy"], "edges": [{"source_id": s, "target_id": t} for s, t in edges]}

    def found(node: str, **asked: Any) -> str:
        part = around(graph, node, **{"upstream": False, "downstream": False, "depth": None} | asked)
        return "".join(item["id"] for item in part["nodes"]) if part else "none"

    assert found("b", upstream=True, depth=1) == "abx"
    assert found("b", downstream=True) == "abc"
    assert found("y", upstream=True, downstream=True) == "y"
    assert found("z") == "none"
