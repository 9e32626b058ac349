"""The tasks of a DAG: their list, and one task or group over the runs."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dags_app.models import Dag
from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.ids import new_id
from runs.models import StateChange, TaskInstanceHistory
from runs.reports import Report
from runs.transitions import finish
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.ui.signed_in import client_of
from tests.integration.ui.test_grid import SPEC, fill

pytestmark = pytest.mark.django_db


@pytest.fixture
def dag() -> Dag:
    return make_dag("etl", SPEC)


@pytest.fixture
def client(dag: Dag) -> Client:
    return client_of("Viewer")


def test_the_list_has_what_tasks_are_and_their_last_states(client: Client, dag: Dag) -> None:
    make_ti(fill(dag, 1), "gone", state="success")
    page = client.get("/dags/etl/tasks")
    assert [row.task_id for row in page.context["rows"]] == ["start", "q.a", "q.b", "gone"]
    shown = page.content.decode()
    assert "not in the newest version" in shown and 'class="dot failed"' in shown and "all success" in shown
    assert [row.task_id for row in client.get("/dags/etl/tasks?q=Q.B").context["rows"]] == ["q.b"]
    assert "No task passes the filter" in client.get("/dags/etl/tasks?q=zzz").content.decode()


def test_a_task_is_shown_over_the_runs_with_tries_durations_and_errors(client: Client, dag: Dag) -> None:
    run = make_run(dag, "r", state="failed", logical_date=None)
    times = {"queued_dttm": NOON, "start_date": NOON + timedelta(seconds=5), "end_date": NOON + timedelta(seconds=65)}
    make_ti(run, "start", state="failed", try_number=3, cause="user_exception", cause_detail="KeyError: <k>\nmore", **times)
    make_run(dag, "without", run_after=NOON + timedelta(days=1))
    page = client.get("/dags/etl/tasks/start")
    (row,) = page.context["history"]
    assert (row.state, row.tries, row.seconds, row.waited, row.error) == ("failed", 3, 60.0, 5.0, "KeyError: <k>")
    assert "KeyError: &lt;k&gt;" in page.content.decode() and page.context["chart"].bars[0].wait_height > 0


def test_a_task_that_is_tried_again_says_what_its_last_try_said(client: Client, dag: Dag) -> None:
    ti = make_ti(make_run(dag, "r"), "start", state="running", start_date=NOON, max_tries=2)
    said = {"cause": "user_exception", "cause_detail": "KeyError: k"}
    finish([Report(ti.pk, ti.dispatch_id, "up_for_retry", NOON, **said)], now=NOON)
    (row,) = client.get("/dags/etl/tasks/start").context["history"]
    assert (row.state, row.error) == ("up_for_retry", "KeyError: k")


def test_a_mapped_task_that_is_tried_again_says_nothing_of_its_other_tries(client: Client, dag: Dag) -> None:
    run = make_run(dag, "r")
    names = {"dag_run": run, "dag_id": "etl", "run_id": "r", "task_id": "start"}
    ti = make_ti(run, "start", state="running", map_index=0, try_number=2, start_date=NOON, max_tries=2)
    said = {"cause": "user_exception", "cause_detail": "KeyError: k"}
    finish([Report(ti.pk, ti.dispatch_id, "up_for_retry", NOON, **said)], now=NOON)
    first = {"try_number": 1, "state": "failed", "cause": "user_exception", "cause_detail": "KeyError: first"}
    TaskInstanceHistory.objects.create(pk=new_id(), map_index=0, **first, **names)
    # Index 1 succeeded and was cleared since.
    TaskInstanceHistory.objects.create(pk=new_id(), map_index=1, try_number=2, state="success", **names)
    make_ti(run, "start", state="scheduled", map_index=1, try_number=3)
    (row,) = client.get("/dags/etl/tasks/start").context["history"]
    assert row.error == "KeyError: k"


def test_a_failure_without_a_text_is_told_in_the_same_words_on_all_pages(client: Client, dag: Dag) -> None:
    run = make_run(dag, "r", state="failed", run_after=utcnow())
    make_ti(run, "start", state="failed", cause="out_of_memory", start_date=NOON, end_date=NOON)
    make_ti(run, "q.a", state="upstream_failed")
    make_ti(run, "q.b", state="failed", map_index=0, cause="out_of_memory", start_date=NOON, end_date=NOON)
    StateChange.objects.create(dag_run=run, task_id="start", to_state="failed", at=NOON, cause="out_of_memory")
    in_run, said = "/dags/etl/runs/r/tasks", "The kernel killed the task because memory ran out"
    pages = ["/dags/etl/tasks/start", f"/dags/etl/cell?run={run.pk}&name=start&hint", f"{in_run}/start/events"]
    for path in (*pages, f"{in_run}/q.b/mapped", f"{in_run}/start"):
        assert said in client.get(path).content.decode(), path
    dag_page = client.get("/dags/etl").context["cards"].errors
    assert [group.said for group in dag_page] == [said, said]


def test_a_mapped_task_and_a_group_are_summed_up(client: Client, dag: Dag) -> None:
    fill(dag, 1)
    (mapped,) = client.get("/dags/etl/tasks/q.b").context["history"]
    assert (mapped.state, mapped.counts, mapped.url) == (
        "failed",
        [("failed", 1), ("success", 3)],
        "/dags/etl/runs/r1/tasks/q.b/mapped",
    )
    page = client.get("/dags/etl/tasks/group/q")
    assert page.context["history"][0].total == 5
    assert [row.task_id for row in page.context["rows"]] == ["q.a", "q.b"]
    assert client.get("/dags/etl/tasks/group/none").status_code == client.get("/dags/etl/tasks/none").status_code == 404


def test_a_task_that_was_removed_keeps_its_history(client: Client, dag: Dag) -> None:
    make_ti(fill(dag, 1), "gone", state=None)
    shown = client.get("/dags/etl/tasks/gone").content.decode()
    assert "The newest version of the DAG has no task gone" in shown and "no state" in shown


@pytest.mark.parametrize("path", ["/tasks", "/tasks/q.b", "/tasks/group/q"])
def test_the_pages_ask_as_much_for_many_runs_as_for_few(client: Client, dag: Dag, path: str) -> None:
    def queries() -> Any:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(f"/dags/etl{path}").status_code == 200
        return len(seen)

    fill(dag, 1)
    few = queries()
    for number in range(2, 20):
        fill(dag, number)
    assert queries() == few
