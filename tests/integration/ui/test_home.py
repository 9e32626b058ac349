"""Home shows what needs somebody with its error and its log, what runs and waits, what comes, and the platform (C26-b)."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import DagRule, User
from accounts.roles import Role
from dags_app.models import Bundle, Dag, DagFavorite, ParseImportError
from orchestrator.kernel.clock import utcnow
from orchestrator.processes.models import Process
from runs.models import DagRun, Deadline, HITLDetail, Pool
from tests.factories import make_dag, make_run, make_ti
from tests.integration.ui.costs import queries_of
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def platform(db: None) -> None:
    """All parts live."""
    Pool.objects.get_or_create(pool="default_pool", defaults={"slots": 128})
    now = utcnow()
    for kind in ("scheduler", "triggerer", "dag_processor"):
        Process.objects.create(kind=kind, hostname="h", pid=1, started_at=now, heartbeat_at=now, progress_at=now)


def failing(dag_id: str, state: str = "failed", **fields: Any) -> DagRun:
    dag, now = make_dag(dag_id, **fields), utcnow()
    for number, past in enumerate(("success", "failed", state)):
        at = now - timedelta(hours=3 - number)
        run = make_run(dag, f"r{number}", state=past, run_after=at, start_date=at, end_date=at + timedelta(seconds=9))
    make_ti(run, "load", state="failed", cause="user_exception", cause_detail="ValueError: no rows", end_date=now)
    return run


def page_of(client: Client, query: str = "") -> str:
    answer = client.get(f"/{query}")
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_failing_dag_is_one_click_from_its_log_and_its_retry(platform: None) -> None:
    failing("etl")
    page = page_of(client_of("User"))
    assert "ValueError: no rows" in page and 'href="/dags/etl/runs/r2/tasks/load?at=error"' in page
    assert 'href="/dags/etl/runs/r2/clear?mode=failed"' in page and "2 in a row" in page
    assert "/clear" not in page_of(client_of("Viewer"))


def test_all_is_quiet_where_the_newest_runs_went_well(platform: None) -> None:
    failing("etl", state="success")
    page = page_of(client_of("Viewer"))
    assert "All quiet." in page and "Needs you" not in page


def test_questions_deadlines_errors_and_parts_that_stand_still_are_there(platform: None) -> None:
    now = utcnow()
    run = make_run(make_dag("etl"), "r")
    ti = make_ti(run, "ask", state="awaiting_input")
    HITLDetail.objects.create(ti_id=ti.pk, dag_run=run, task_id="ask", subject="Pay <it>?", options=["a"], created_at=now)
    Deadline.objects.create(dag_run=run, dag_id="etl", deadline_time=now, state="missed", created_at=now)
    ParseImportError.objects.create(
        bundle=run.dag.bundle, filename="broken.py", timestamp=now, stacktrace="File x\nKeyError: 'a'\n"
    )
    Process.objects.filter(kind="scheduler").update(progress_at=now - timedelta(hours=1))
    Process.objects.filter(kind="dag_processor").update(ended_at=now)
    Process.objects.filter(kind="triggerer").delete()
    page = page_of(client_of("Viewer"))
    for said in (
        "Pay &lt;it&gt;?",
        "missed its deadline",
        "broken.py",
        "KeyError: &#x27;a&#x27;",
        "does not go on",
        "DAG processor</strong> is not running",
    ):
        assert said in page, said
    assert "Triggerer</strong>" not in page


@pytest.mark.parametrize(("hours", "said"), [(1, ", ends <time"), (-1, ", time was over <time")])
def test_a_question_says_when_its_time_is_over_or_that_it_was(platform: None, hours: int, said: str) -> None:
    run, now = make_run(make_dag("etl"), "r"), utcnow()
    ti = make_ti(run, "ask", state="awaiting_input")
    end = now + timedelta(hours=hours)
    HITLDetail.objects.create(
        ti_id=ti.pk, dag_run=run, task_id="ask", subject="Pay?", options=["a"], created_at=now, expires_at=end
    )
    client = client_of("Viewer")
    assert said in page_of(client)
    assert said.lstrip(", ") in client.get("/required_actions").content.decode()


def test_running_runs_show_how_far_they_are_and_when_they_should_be_over(platform: None) -> None:
    now, dag = utcnow(), make_dag("etl")
    for number in range(3):
        at = now - timedelta(hours=number + 1)
        make_run(dag, f"past{number}", state="success", run_after=at, start_date=at, end_date=at + timedelta(minutes=10))
    run = make_run(dag, "now", run_after=now, start_date=now - timedelta(minutes=4))
    late = make_run(dag, "late", run_after=now, start_date=now - timedelta(minutes=40))
    for number, state in enumerate(("success", "failed", "running", None)):
        make_ti(run, f"t{number}", state=state)
    page = client_of("Viewer").get("/")
    running = {row.run.pk: row for row in page.context["now"].running}
    row = running[run.pk]
    assert (row.done, row.total) == (2, 4)
    assert 'aria-label="1 done, 1 failed, 1 running, 1 waiting"' in page.content.decode()
    assert row.eta == run.start_date + timedelta(minutes=10) and not row.is_late
    assert running[late.pk].is_late and running[late.pk].parts == []
    assert [part.at for part in row.parts] == [0, 25, 50, 75]


def test_what_waits_says_why(platform: None) -> None:
    dag = make_dag("etl", is_paused=True, max_active_runs=1)
    make_run(dag, "first", state="running")
    make_run(dag, "second", state="queued", start_date=None)
    ti = make_ti(DagRun.objects.get(run_id="first"), "t", state="scheduled", wait_reason="pool_full")
    ti.__class__.objects.update(scheduled_dttm=utcnow())
    found = client_of("Viewer").get("/").context["now"]
    assert [row.run.run_id for row in found.waiting] == ["second"] and "etl" in found.waiting[0].sentence
    assert [(reason, number) for reason, number, _ in found.ready] == [("pool_full", 1)]
    assert "1 task instance ready to run: pool full" in page_of(client_of("Viewer", name="v2"))


def test_the_next_runs_and_the_history_are_of_the_span_that_is_asked_for(platform: None) -> None:
    now = utcnow()
    make_dag("soon", next_dagrun_create_after=now + timedelta(minutes=12), timetable_summary="0 * * * *")
    make_dag("off", is_paused=True, next_dagrun_create_after=now)
    for hours, state in ((0.5, "failed"), (5, "success"), (20, "success"), (90, "success")):
        at = now - timedelta(hours=hours)
        make_run(Dag.objects.get(pk="off"), f"r{hours}", state=state, run_after=at, start_date=at, end_date=at, logical_date=None)
    client = client_of("Viewer")
    totals = {span: dict(client.get(f"/?span={span}").context["history"].totals) for span in ("1h", "12h", "24h", "7d")}
    assert totals == {
        "1h": {"failed": 1},
        "12h": {"failed": 1, "success": 1},
        "24h": {"failed": 1, "success": 2},
        "7d": {"failed": 1, "success": 3},
    }
    assert client.get("/?span=nonsense").context["history"].span == "24h"
    assert [dag.pk for dag in client.get("/").context["next"]] == ["soon"]


def test_an_empty_home_teaches_where_a_dag_file_goes(platform: None) -> None:
    page = page_of(client_of("Viewer"))
    assert "No DAG yet" in page and "from airflow.sdk import dag" in page and "All quiet" not in page
    assert "No run is going on." in page and "Mark DAGs with the star" in page


def test_of_many_failing_dags_the_latest_come_first_and_paused_ones_last(platform: None) -> None:
    now = utcnow()
    for number in range(10):
        at = now - timedelta(hours=number % 5, minutes=number)
        make_run(make_dag(f"d{number}", is_paused=number == 0), "r", state="failed", run_after=at, end_date=at)
        DagFavorite.objects.create(dag_id=f"d{number}", user_name="vic")
    context = client_of("Viewer", name="vic").get("/").context
    assert [row.dag.pk for row in context["needs"].failing] == ["d5", "d1", "d6", "d2", "d7", "d3", "d8", "d4"]
    assert context["needs"].failing_total == 10
    assert [dag.pk for dag in context["favourites"]] == [f"d{number}" for number in range(8)]


def test_favourites_are_those_of_the_person(platform: None) -> None:
    failing("mine", state="success")
    failing("other", state="success")
    client = client_of("Viewer", name="vic")
    DagFavorite.objects.create(dag_id="mine", user_name="vic")
    assert [dag.pk for dag in client.get("/").context["favourites"]] == ["mine"]


def test_a_stranger_to_a_dag_reads_nothing_of_it(platform: None) -> None:
    run = failing("secret_one", next_dagrun_create_after=utcnow())
    make_run(run.dag, "secret_run", state="queued", start_date=None)
    make_run(run.dag, "secret_now", state="running")
    ti = make_ti(run, "ask", state="awaiting_input")
    HITLDetail.objects.create(ti_id=ti.pk, dag_run=run, task_id="ask", subject="secret?", options=["a"], created_at=utcnow())
    ParseImportError.objects.create(bundle=run.dag.bundle, filename="secret.py", timestamp=utcnow(), stacktrace="x")
    client = client_of("Op", name="ruled")
    DagRule.objects.create(user=User.objects.get(username="ruled"), dag_id="own", role=Role.OP)
    assert "secret" not in page_of(client)


def test_c07_home_takes_as_many_queries_for_many_dags(platform: None) -> None:
    client = client_of("User")

    def some(number: int) -> None:
        failing(f"d{number}", next_dagrun_create_after=utcnow())
        DagFavorite.objects.create(dag_id=f"d{number}", user_name="user")
        make_ti(make_run(make_dag(f"busy{number}"), "r", state="running"), "t", state="running")

    for number in range(2):
        some(number)
    client.get("/")
    few = queries_of(client, "/")
    for number in range(2, 9):
        some(number)
    assert queries_of(client, "/") == few <= 13


def test_c07_home_asks_less_where_nothing_goes_on_and_little_more_where_everything_does(platform: None) -> None:
    client, now = client_of("User"), utcnow()
    run = failing("etl", max_active_runs=1)
    client.get("/")
    assert queries_of(client, "/") <= 11
    for number in range(5):
        dag = make_dag(f"busy{number}", max_active_runs=1)
        run = make_run(dag, "r", state="running")
        make_run(dag, "q", state="queued", start_date=None)
        make_ti(run, "t", state="scheduled", wait_reason="pool_full", scheduled_dttm=now + timedelta(hours=1))
        ti = make_ti(run, "ask", state="awaiting_input")
        HITLDetail.objects.create(ti_id=ti.pk, dag_run=run, task_id="ask", subject="?", options=["a"], created_at=now)
        Deadline.objects.create(dag_run=run, dag_id=dag.pk, deadline_time=now, state="missed", created_at=now)
        ParseImportError.objects.create(bundle=dag.bundle, filename=f"{number}.py", timestamp=now, stacktrace="x")
    Bundle.objects.create(name="away", is_active=True, unreadable_since=now, unreadable_reason="no answer")
    assert queries_of(client, "/") <= 24


def test_who_reaches_no_dag_sees_an_empty_home(platform: None) -> None:
    failing("etl")
    client = client_of("Viewer")
    DagRule.objects.create(user=User.objects.create_user("other"), dag_id="etl", role=Role.VIEWER)
    page = page_of(client)
    assert "No run is going on." in page and "etl" not in page
