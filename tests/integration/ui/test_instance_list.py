"""The list of task instances takes the filters of the REST list and stays as cheap for many as for one."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from runs.models import TaskInstance
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return client_of("User", name="ann")


def tasks(client: Client, **query: Any) -> list[str]:
    answer = client.get("/task_instances", query, follow=True)
    assert answer.status_code == 200, answer.content.decode()
    return [row.task_id for row in answer.context["list"].rows]


def test_c07_each_filter_narrows_the_list(client: Client) -> None:
    odd = make_run(make_dag("etl"), "odd", logical_date=NOON, run_after=NOON - timedelta(days=9))
    make_ti(
        odd, "load", state="failed", map_index=7, rendered_map_index="seven", pool="small", queue="fast", executor="Celery", try_number=3,
        operator="BashOperator", custom_operator_name="bash", task_display_name="Load it", start_date=NOON, duration=400.0,
        end_date=NOON + timedelta(minutes=7),
    )  # fmt: skip
    make_ti(make_run(make_dag("other"), "plain"), "t", state="success", start_date=NOON + timedelta(days=1), duration=1.0)
    assert tasks(client) == ["t", "load"]
    for query in (
        *({"state": "failed"}, {"pool_name_pattern": "sma"}, {"queue_name_pattern": "fast"}, {"executor": "Celery"}),
        *({"try_number": "3"}, {"map_index": "7"}, {"rendered_map_index_pattern": "sev"}, {"operator_name_pattern": "bash"}),
        *({"task_id": "load"}, {"task_display_name_pattern": "Load"}, {"dag_id_pattern": "etl"}, {"run_id_pattern": "odd"}),
        *({"duration_gte": "5 m"}, {"start_date_lte": "2026-01-05T13:00"}, {"run_after_lte": "2026-01-01T00:00"}),
        *({"logical_date_gte": "2026-01-05T12:00"}, {"end_date_gte": "2026-01-05T12:05"}, {"task_ids": "load"}),
    ):
        assert tasks(client, **query) == ["load"], query
    assert tasks(client, version_number="1") == ["t", "load"] and tasks(client, state="none") == []
    assert client.get("/task_instances?state=nope").status_code == client.get("/task_instances?cursor=x").status_code == 400


def test_c07_many_rows_take_as_many_queries_as_one_and_no_long_columns(client: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get("/task_instances").status_code == 200
        assert not [query for query in seen if '"document"' in query["sql"] or "next_kwargs" in query["sql"]]
        return len(seen)

    make_ti(make_run(make_dag("d")), "first", state="running", start_date=NOON)
    few = queries()
    for number in range(30):
        make_ti(make_run(make_dag(f"d{number}")), "t", map_index=number, rendered_map_index=f"label {number}", note="n")
    assert queries() == few <= 12
    assert "t [label 3]" in client.get("/task_instances").content.decode()


def test_c07_pages_by_keyset_reach_every_row_once_also_where_nothing_has_begun(client: Client) -> None:
    run = make_run(make_dag("d"))
    for number in range(7):
        make_ti(run, f"t{number}", start_date=NOON + timedelta(minutes=number // 2) if number < 5 else None)
    url, seen = "/task_instances?limit=3", []
    while url:
        found = client.get(url).context["list"]
        seen += [row.task_id for row in found.rows]
        url = f"/task_instances{found.next_url}" if found.next_url else ""
    assert sorted(seen) == [f"t{number}" for number in range(7)]


def test_odd_rows_are_shown_without_what_they_lack(client: Client) -> None:
    row = make_ti(make_run(make_dag("d"), logical_date=None), "removed_task", state=None, try_number=0)
    TaskInstance.objects.filter(pk=row.pk).update(dag_version=None, dag_id="gone")
    text = client.get("/task_instances").content.decode()
    assert "removed_task" in text and "no state" in text


def test_csv_has_the_columns_of_the_list(client: Client) -> None:
    make_ti(make_run(make_dag("d")), "t", map_index=2, duration=3.5, note="=1+1")
    lines = b"".join(client.get("/task_instances?format=csv").streaming_content).decode().splitlines()
    assert lines[0].startswith("State,DAG,Run,Task,Index,Try") and ",t,2,1," in lines[1] and "'=1+1" in lines[1]


def test_c07_very_many_rows_are_not_sorted_without_an_index(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.ui.lists.COUNT_CAP", 3)
    monkeypatch.setattr("orchestrator.rest.paging.COUNT_CAP", 3)
    run = make_run(make_dag("d"))
    for number in range(5):
        make_ti(run, f"t{number}", duration=float(number))
    found = client.get("/task_instances?limit=2").context["list"]
    links = {head.column.name: bool(head.url) for head in found.heads}
    assert (found.shown_total, links["duration"], links["start_date"]) == ("3+", False, True)
    assert not any("duration" in value for value, _ in found.orders)
    answer = client.get("/task_instances?limit=2&order_by=-duration")
    assert answer.status_code == 400 and "too many to order them by Duration" in answer.content.decode()
    assert tasks(client, order_by="-duration", task_ids=["t1", "t2"]) == ["t2", "t1"]


def test_names_of_dags_and_runs_are_looked_up_before_the_rows(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("etl_a", "etl_b", "other"):
        run = make_run(make_dag(name), f"run_of_{name}")
        make_ti(run, name)
    for most in (1000, 1):
        monkeypatch.setattr("runs.narrowing.MOST_RUNS", most)
        assert sorted(tasks(client, run_id_pattern="etl_a|other")) == ["etl_a", "other"]
        assert sorted(tasks(client, run_id_prefix_pattern="run_of_etl")) == ["etl_a", "etl_b"]
    assert sorted(tasks(client, dag_id_pattern="ETL%")) == ["etl_a", "etl_b"]
    assert tasks(client, dag_id_prefix_pattern="ETL") == tasks(client, dag_id_pattern="nothing") == []
