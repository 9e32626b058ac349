"""The search over everything finds names of all kinds, as far as the person may see them, at a bounded cost (C13, C30-a)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import DagRule, User
from accounts.roles import Role
from dags_app.models import Asset, AssetReference, DagFavorite, DagTag
from orchestrator.kernel.clock import utcnow
from runs.models import Pool
from runs.pages.search.hits import link
from runs.pages.search.runs import span_of
from tests.factories import make_dag, make_run, make_ti
from tests.integration.ui.signed_in import client_of
from vault.models import Connection, Variable

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> None:
    dag = make_dag("etl_sales", owners="ann, bob", dag_display_name="Sales of today")
    DagTag.objects.create(dag=dag, name="daily")
    run = make_run(dag, "manual__2026-01-05T12:00:00+00:00", state="failed", logical_date=None)
    make_ti(run, "load_sales", state="failed")
    make_ti(run, "part", state="success", map_index=3)
    make_dag("other", owners="cid")
    asset = Asset.objects.create(name="sales_table", uri="s3://sales")
    AssetReference.objects.create(dag=dag, role=AssetReference.Role.OUTLET, asset=asset)
    Connection.objects.create(conn_id="sales_db", conn_type="postgres", password="pass-in-clear")
    Variable.objects.create(key="sales_key", val="val-in-clear")
    Pool.objects.create(pool="sales_pool", slots=3)


def labels(client: Client, q: str, **more: str) -> list[tuple[str, str]]:
    found = client.get("/search", {"q": q, **more}).context["found"]
    return [(hit.kind, hit.label) for hit in found.hits]


@pytest.mark.parametrize("q", ["sales", "SAL", "etl_sales", "today", "of sales"])
def test_a_dag_is_found_by_any_part_of_its_names_in_any_case(world: None, q: str) -> None:
    assert ("DAG", "Sales of today") in labels(client_of("Viewer"), q)


def test_letters_in_their_order_find_a_dag_that_nothing_else_finds(world: None) -> None:
    assert ("DAG", "Sales of today") in labels(client_of("Viewer"), "etsal")


def test_one_word_finds_dags_tasks_assets_and_keys_together(world: None) -> None:
    kinds = {kind for kind, _ in labels(client_of("Op"), "sales")}
    assert kinds >= {"DAG", "Task"}
    assert ("Task", "load_sales") in labels(client_of("Viewer"), "etl load")


def test_runs_are_found_by_the_beginning_of_their_id_also_without_a_logical_date(world: None) -> None:
    client = client_of("Viewer")
    for q in ("manual__2026-01-05", "2026-01-05", "2026-01-05 12:00"):
        hits = [hit for hit in client.get("/search", {"q": q}).context["found"].hits if hit.kind == "Run"]
        assert [(hit.state, hit.note) for hit in hits] == [("failed", "etl_sales")], q
    assert not [hit for hit in labels(client, "2026-01-06") if hit[0] == "Run"]


def test_words_name_spans_of_time() -> None:
    found = span_of("yesterday 14:00")
    assert found is not None and found[1] - found[0] == timedelta(hours=1) and found[0].hour == 14
    assert span_of("today") is not None and span_of("2026-13-40") is None and span_of("sales") is None
    minute, day = span_of("2026-01-05 12:07"), span_of("2026-01-05")
    assert minute is not None and minute[1] - minute[0] == timedelta(minutes=1)
    assert day is not None and day[1] - day[0] == timedelta(days=1)


@pytest.mark.parametrize("day", ["9999-12-31", "9999-12-31 23:00", "0001-01-01"])
@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_a_day_at_the_end_of_the_calendar_names_no_span_that_breaks(db: None, day: str, zone: str) -> None:
    with timezone.override(zone):
        span_of(day)
    client = client_of("Viewer")
    User.objects.update(preferences={"timezone": zone})
    assert client.get("/search", {"q": day}).status_code == 200


def test_prefixes_ask_for_actions_tags_and_owners(world: None) -> None:
    client = client_of("User")
    assert labels(client, ">trigger sales") == [("Action", "Trigger Sales of today")]
    assert labels(client, ">trig", **{"from": "/dags/other/runs/x"}) == [("Action", "Trigger other")]
    assert ("Page", "DAGs") in labels(client, ">dag")
    assert labels(client, "#dai") == [("Tag", "daily"), ("DAG", "Sales of today")]
    assert labels(client, "@bo") == [("Owner", "bob")]
    viewer = client_of("Viewer")
    assert labels(viewer, ">trigger sales") == []


def test_the_page_that_is_open_adds_its_forms_and_its_own_pages(world: None) -> None:
    client, here = client_of("User"), {"from": "/dags/etl_sales/runs/manual__2026-01-05T12%3A00%3A00%2B00%3A00"}
    hits = client.get("/search", {"q": ">retry", **here}).context["found"].hits
    assert [(hit.label, hit.url.endswith("/clear?mode=failed"), hit.opens) for hit in hits] == [
        ("Retry the failed tasks of this run", True, "dialog")
    ]
    assert ("Action", "Trigger Sales of today") in labels(client, ">", **here)
    assert ("Page", "etl_sales: Graph") in labels(client, "graph", **here)
    assert ("Page", "etl_sales: Graph") in labels(client, "etl graph")
    assert not [hit for hit in labels(client_of("Viewer"), ">", **here) if hit[0] == "Action"]


def test_keys_are_found_by_whoever_may_read_them_and_their_values_never_show(world: None) -> None:
    answer = client_of("Admin").get("/search", {"q": "sales"})
    assert b"sales_db" in answer.content or not link("connection_list")
    assert b"pass-in-clear" not in answer.content and b"val-in-clear" not in answer.content
    kinds = {kind for kind, _ in labels(client_of("Viewer"), "sales")}
    assert not kinds & {"Connection", "Variable"}


def test_a_stranger_to_a_dag_finds_nothing_of_it(world: None) -> None:
    client = client_of("Op", name="stranger")
    DagRule.objects.create(user=User.objects.get(username="stranger"), dag_id="other", role=Role.OP)
    for q in ("sales", "etl", "etsal", "2026-01-05", "#daily", "@ann", ">trigger sales", "load", "s3://", ""):
        content = client.get("/search", {"q": q, "from": "/dags/etl_sales"}).content.decode()
        assert not any(
            word in content for word in ("etl_sales", "Sales of today", "load_sales", "sales_table", 'value="daily')
        ), q
    DagRule.objects.update(role=Role.VIEWER)
    assert labels(client_of("Viewer", name="v"), ">trigger other") == []


def test_the_palette_gets_options_and_the_page_is_whole(world: None) -> None:
    client = client_of("Viewer")
    DagFavorite.objects.create(dag_id="other", user_name="viewer")
    options = client.get("/search", {"q": "etl"}, headers={"X-Palette": "1", "HX-Request": "true"}).content.decode()
    assert 'role="option"' in options and "<html" not in options and 'href="/dags/etl_sales"' in options
    assert "<h1>Search</h1>" in client.get("/search", {"q": "etl"}).content.decode()
    assert ("DAG", "other") in labels(client, "")
    nothing = client.get("/search", {"q": "no such <thing>"}).content.decode()
    assert "no such &lt;thing&gt;" in nothing


@pytest.mark.parametrize("q", ["%", "_", "'", "\\", "(", ">", "#", "@", ">(", "[a", "  ", "x" * 5000, "today 99:99"])
def test_odd_texts_are_answered(world: None, q: str) -> None:
    assert client_of("Admin").get("/search", {"q": q, "from": "/dags/"}).status_code == 200


def test_c07a_the_number_of_queries_does_not_grow_with_what_is_there(world: None) -> None:
    client = client_of("Admin")
    client.get("/search", {"q": "sales"})

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get("/search", {"q": "sales"}, headers={"X-Palette": "1"})
        return len(queries)

    before = asked()
    for number in range(30):
        run = make_run(make_dag(f"sales_{number}"), f"sales_{number}", run_after=utcnow())
        make_ti(run, f"sales_{number}")
        Asset.objects.create(name=f"sales_{number}", uri=f"x://{number}")
    assert asked() == before <= 8
    assert sum(kind == "DAG" for kind, _ in labels(client, "sales")) == 8


@pytest.mark.parametrize(
    "q", ["sales", "etl load", "etsal", "nothing that there is", "2026-01-05", "manual__2026", "daily", "#daily"]
)
def test_c07a_whatever_is_asked_takes_nine_queries_at_most(world: None, q: str) -> None:
    client = client_of("Admin")
    client.get("/search", {"q": q})
    with CaptureQueriesContext(connection) as queries:
        client.get("/search", {"q": q, "from": "/dags/other/runs/x"})
    assert len(queries) <= 9


def test_the_nearest_names_of_each_kind_come_first_and_five_at_most(world: None) -> None:
    for number in range(9):
        Pool.objects.create(pool=f"a sales {number}", slots=1)
        Variable.objects.create(key=f"z_sales_{number}", val="x")
    Pool.objects.create(pool="sales", slots=1)
    found = labels(client_of("Op"), "sales")
    assert [label for kind, label in found if kind == "Pool"] == ["sales", "sales_pool", "a sales 0", "a sales 1", "a sales 2"]
    assert [label for kind, label in found if kind == "Variable"] == ["sales_key", *(f"z_sales_{number}" for number in range(4))]
    kinds = list(dict.fromkeys(kind for kind, _ in found))
    assert [kind for kind in kinds if kind in ("Asset", "Connection", "Variable", "Pool")] == [
        "Asset",
        "Connection",
        "Variable",
        "Pool",
    ]
