"""The lists to browse: XComs, parts of the platform, deadlines, broken files, the backfills of a DAG."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import DagRule, User
from accounts.roles import Role
from dags_app.broken_files import line_of, message_of
from dags_app.models import ParsedFile, ParseImportError
from orchestrator.kernel.clock import utcnow
from orchestrator.processes.models import Process
from runs.models import Backfill, Deadline, XCom
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db
TRACE = 'Traceback (most recent call last):\n  File "/dags/{0}", line 7, in <module>\n    load()\n  File "/x.py", line 3\nValueError: <no> rows'


@pytest.fixture
def client() -> Client:
    return client_of("Viewer", name="vic")


def rows(client: Client, path: str, **query: Any) -> list[Any]:
    answer = client.get(path, query, follow=True)
    assert answer.status_code == 200, answer.content.decode()
    return list(answer.context["list"].rows)


def same_queries(client: Client, path: str, make: Callable[[int], None]) -> None:
    """One row takes as many queries as thirty."""
    numbers = []
    for some in (range(1), range(1, 31)):
        for number in some:
            make(number)
        with CaptureQueriesContext(connection) as seen:
            assert client.get(path).status_code == 200
        numbers.append(len(seen))
    assert numbers[0] == numbers[1], path


def xcom(number: int = 0, **fields: Any) -> XCom:
    text = json.dumps(fields.pop("value", number))
    run = fields.pop("run", None) or make_run(make_dag(f"d{number}"), "r")
    values = {"task_id": "t", "key": "k", "timestamp": NOON, "size": len(text), "value": text, **fields}
    return XCom.objects.create(dag_run=run, dag_id=run.dag_id, run_id=run.run_id, **values)


def test_xcoms_show_small_values_and_never_read_large_ones(client: Client) -> None:
    run = make_run(make_dag("etl"), "r1")
    make_ti(run, "t", task_display_name="Load it")
    xcom(run=run, key="small", value={"a": [1, "<b>"]})
    xcom(run=run, key="long", value="x" * 500, map_index=4)
    xcom(run=run, key="huge", value="secret of megabytes", size=5_000_000)
    text = client.get("/xcoms").content.decode()
    assert "&quot;a&quot;: [1, &quot;&lt;b&gt;&quot;]" in text and "object of 1" in text and "Load it" in text
    assert "secret of megabytes" not in text and "4.8" in text
    assert [row.key for row in rows(client, "/xcoms", xcom_key_pattern="sma")] == ["small"]
    assert [row.key for row in rows(client, "/xcoms", map_index_filter="4")] == ["long"]
    assert rows(client, "/xcoms", run_id_pattern="none") == rows(client, "/xcoms", dag_id="x") == []
    csv = b"".join(client.get("/xcoms?format=csv").streaming_content).decode()
    assert csv.startswith("DAG,Run,Task,Index,Key,Value")


def test_xcoms_of_hidden_dags_are_not_listed(client: Client) -> None:
    xcom(1)
    xcom(2)
    narrow = client_of("Viewer", name="narrow")
    DagRule.objects.create(user=User.objects.get(username="narrow"), dag_id="d1", role=Role.VIEWER)
    assert [row.dag_id for row in rows(narrow, "/xcoms")] == ["d1"]


def test_jobs_that_live_come_first_and_whoever_may_read_sees_them_as_in_the_rest_api(client: Client) -> None:
    def process(kind: str, **fields: Any) -> None:
        Process.objects.create(kind=kind, hostname="h", pid=7, started_at=NOON, **{"heartbeat_at": NOON, **fields})

    process("scheduler")
    process("triggerer", heartbeat_at=utcnow())
    process("supervisor", ended_at=NOON, heartbeat_at=utcnow() + timedelta(seconds=5))
    admin = client_of("Admin")
    assert [(row.kind, row.word) for row in rows(admin, "/jobs")] == [
        ("triggerer", "alive"),
        ("supervisor", "ended"),
        ("scheduler", "lost"),
    ]
    assert [row.kind for row in rows(admin, "/jobs", job_state="failed")] == ["scheduler"]
    assert [row.kind for row in rows(admin, "/jobs", job_type="triggerer")] == ["triggerer"]
    assert "LocalExecutor" in admin.get("/jobs").content.decode()
    assert len(rows(client, "/jobs")) == 3 and client_of("Viewer").get("/jobs").status_code == 200


def deadline(number: int, **fields: Any) -> Deadline:
    dag = make_dag(f"late{number}")
    make_run(dag, "old", state="success", run_after=NOON - timedelta(days=1), end_date=NOON + timedelta(hours=2))
    run = make_run(dag, "now", start_date=utcnow())
    values = {"deadline_time": utcnow() + timedelta(hours=1), "created_at": NOON, "alert": {"name": "Nightly"}, **fields}
    return Deadline.objects.create(dag_run=run, dag_id=dag.dag_id, **values)


def test_deadlines_say_what_is_at_risk_and_what_was_missed(client: Client) -> None:
    deadline(1)
    deadline(2, state="missed", deadline_time=NOON, ended_at=NOON, task_id="load", map_index=3)
    text = client.get("/deadlines?state=pending&order_by=deadline_time").content.decode()
    assert "late1" in text and "at risk" in text and "late2" not in text and "Nightly" in text
    assert [row.dag_id for row in rows(client, "/deadlines")] == ["late1", "late2"]
    assert [row.dag_id for row in rows(client, "/deadlines", state="missed", deadline_time_lte="2026-01-06T00:00")] == ["late2"]
    assert "load [3]" in client.get("/deadlines?dag_id_pattern=late2").content.decode()


def broken(number: int) -> ParseImportError:
    dag = make_dag(f"b{number}")
    ParsedFile.objects.create(bundle=dag.bundle, relative_fileloc=f"b{number}.py", last_good_at=NOON)
    return ParseImportError.objects.create(
        bundle=dag.bundle, filename=f"b{number}.py", timestamp=NOON, stacktrace=TRACE.format(f"b{number}.py")
    )


def test_c07_broken_files_say_where_they_break_and_what_stays_in_use(client: Client) -> None:
    dag = broken(1).bundle
    ParseImportError.objects.create(
        bundle=dag, filename="sub/new.py", timestamp=NOON, stacktrace="SyntaxError: bad (new.py, line 12)"
    )
    text = client.get("/import_errors").content.decode()
    assert "b1.py:7" in text and "ValueError: &lt;no&gt; rows" in text and "last good parse" in text and "/dags/b1" in text
    assert "sub/new.py:12" in text and "never read without an error" in text
    assert [row.filename for row in rows(client, "/import_errors", filename_pattern="b1")] == ["b1.py"]
    assert [row.filename for row in rows(client, "/import_errors", stacktrace_pattern="SyntaxError")] == ["sub/new.py"]
    assert line_of("no trace", "x.py") is None and message_of("") == ""


def test_the_backfills_of_a_dag_are_a_tab_of_it(client: Client) -> None:
    for name in ("etl", "other"):
        dag = make_dag(name)
        Backfill.objects.create(dag=dag, from_date=NOON, to_date=NOON, created_at=NOON, updated_at=NOON)
    answer = client.get("/dags/etl/backfills")
    assert answer.context["list"].total == 1 and 'aria-current="page">Backfills' in answer.content.decode()
    assert client.get("/dags/nope/backfills").status_code == 404


@pytest.mark.parametrize(("path", "make"), [("/xcoms", xcom), ("/deadlines", deadline), ("/import_errors", broken)])
def test_c07_the_lists_take_as_many_queries_for_many_rows(client: Client, path: str, make: Any) -> None:
    same_queries(client, path, make)


@pytest.mark.parametrize(
    "path", ["/dag_runs", "/task_instances", "/bulk", "/events", "/xcoms", "/deadlines", "/import_errors", "/jobs"]
)
def test_an_empty_list_says_what_comes_there(path: str) -> None:
    page = client_of("Admin").get(path)
    assert page.status_code == 200 and 'class="empty"' in page.content.decode()
    assert page.content.decode().count("<h1") == 1
