"""The head of a DAG's pages: what it tells, what is wrong, and which buttons a person finds."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditLog
from dags_app.models import Dag, DagFavorite, DagOwnerLink, DagWarning, ParsedFile, ParseImportError
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from tests.factories import NOON, make_dag, make_run
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def dag() -> Dag:
    spec = DagSpec(dag_id="etl", tasks=[TaskSpec(task_id="t")], doc_md="# Sales\n\n<script>alert(1)</script>")
    return make_dag("etl", spec, timetable_description="At 06:00", timetable_summary="0 6 * * *", owners="ops, ann")


@pytest.fixture
def client(dag: Dag) -> Client:
    return client_of("User", name="ann")


def html(client: Client, path: str = "/dags/etl") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_head_tells_schedule_runs_owners_tags_and_version(client: Client, dag: Dag) -> None:
    dag.tags.create(name="sales")
    DagOwnerLink.objects.create(dag=dag, owner="ops", link="https://ops.example")
    Dag.objects.filter(pk="etl").update(next_dagrun_create_after=utcnow() + timedelta(minutes=12, seconds=30))
    make_run(dag, "old", state="success", run_after=NOON)
    make_run(dag, "new", state="running", run_after=NOON + timedelta(days=1))
    shown = html(client)
    for text in ("At 06:00", 'title="0 6 * * *"', 'href="https://ops.example"', "sales", "v1", "in 12 m", "1 of 16", "running"):
        assert text in shown
    assert 'data-key="t"' in shown and "/dags/etl/backfill" in shown and "/dags/etl/delete" in shown


@pytest.mark.parametrize(
    "link", ["javascript://x/%0aalert(1)", " JavaScript://x/%0aalert(1)", "data:text/html,x", "java\tscript:alert(1)"]
)
def test_an_address_of_an_owner_that_a_browser_would_run_is_no_link(client: Client, dag: Dag, link: str) -> None:
    DagOwnerLink.objects.create(dag=dag, owner="ops", link=link)
    DagOwnerLink.objects.create(dag=dag, owner="ann", link="mailto:ann@example.com")
    shown = html(client)
    assert f'href="{link}"' not in shown and "ops" in shown and 'href="mailto:ann@example.com"' in shown


def test_the_schedule_is_said_in_the_same_words_in_the_list_in_the_head_and_in_the_details(client: Client, dag: Dag) -> None:
    Dag.objects.update(timetable_description="Never, external triggers only", timetable_summary=None)
    for path in ("/dags", "/dags/etl", "/dags/etl/details"):
        shown = html(client, path)
        assert ("by hand" in shown, "external triggers" in shown) == (True, False), path


def test_the_facts_come_alone_for_a_page_that_is_open(client: Client, dag: Dag) -> None:
    make_run(dag, "r", state="failed")
    shown = html(client, "/dags/etl/facts")
    assert shown.count("dag-facts") >= 2 and "failed" in shown and "<h1" not in shown and "<nav" not in shown


def test_banners_say_what_is_wrong_and_what_stays(client: Client, dag: Dag) -> None:
    ParseImportError.objects.create(bundle=dag.bundle, filename="etl.py", timestamp=NOON, stacktrace="Traceback\nNameError: <x>")
    DagWarning.objects.create(dag=dag, warning_type="non-existent pool", message="There is no pool p", timestamp=NOON)
    Dag.objects.filter(pk="etl").update(has_import_errors=True, scheduling_error="no such date", is_stale=True)
    shown = html(client)
    for text in ("NameError: &lt;x&gt;", "no such date", "There is no pool p", "No file defines this DAG any more"):
        assert text in shown


def test_a_viewer_reads_and_has_no_buttons_that_change(dag: Dag) -> None:
    viewer = client_of("Viewer")
    make_run(dag, "r", state="failed")
    shown = html(viewer)
    assert "/dags/etl/trigger" not in shown and "/dags/etl/delete" not in shown and "/dags/etl/pause" not in shown
    assert viewer.post("/dags/etl/reparse").status_code == 403
    assert viewer.post("/dags/etl/favorite", {"is_favorite": "true"}).status_code == 302


def test_a_favourite_is_marked_and_unmarked_and_audited_once(client: Client) -> None:
    for _ in range(2):
        answer = client.post("/dags/etl/favorite", {"is_favorite": "true", "next": "/dags/etl?runs=50"})
        assert answer["Location"] == "/dags/etl?runs=50"
    assert DagFavorite.objects.get().user_name == "ann"
    assert 'aria-pressed="true"' in html(client)
    client.post("/dags/etl/favorite", {"is_favorite": "false"})
    assert not DagFavorite.objects.exists()
    assert list(AuditLog.objects.order_by("id").values_list("event", flat=True)) == ["favorite_dag", "unfavorite_dag"]


def test_reading_the_file_again_is_asked_for_where_it_was_read_before(client: Client, dag: Dag) -> None:
    assert "never read" in client.post("/dags/etl/reparse", follow=True).content.decode()
    ParsedFile.objects.create(bundle=dag.bundle, relative_fileloc="etl.py")
    assert "read again" in client.post("/dags/etl/reparse", follow=True).content.decode()
    assert ParsedFile.objects.get().reparse_requested_at is not None
    assert AuditLog.objects.get(event="reparse_dag_file").owner == "ann"


def test_docs_are_markdown_that_executes_nothing(client: Client) -> None:
    shown = html(client, "/dags/etl/docs")
    assert "<h1>Sales</h1>" in shown and "<script>alert" not in shown
    make_dag("plain")
    assert "No docs yet" in html(client, "/dags/plain/docs")


def test_the_head_asks_as_much_for_many_runs_as_for_few(client: Client, dag: Dag) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            html(client, "/dags/etl/tasks")
        return len(seen)

    make_run(dag, "first")
    few = queries()
    for number in range(30):
        make_run(dag, f"r{number}", run_after=NOON + timedelta(hours=number))
        dag.tags.create(name=f"tag{number}")
    assert queries() == few <= 12


@pytest.mark.parametrize("path", ["", "/tasks", "/tasks/t", "/docs"])
def test_an_unknown_dag_is_not_found_and_one_without_a_version_is_shown(client: Client, path: str) -> None:
    assert client.get(f"/dags/none{path}").status_code == 404
    bare: Any = make_dag("bare")
    Dag.objects.filter(pk=bare.pk).update(latest_version=None)
    bare.versions.all().delete()
    assert client.get(f"/dags/bare{path}").status_code == (404 if path == "/tasks/t" else 200)
