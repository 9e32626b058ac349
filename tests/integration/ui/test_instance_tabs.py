"""The tabs of a task instance: rendered fields, XComs, kept values, events, code, details, and who may change them."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditLog
from dags_app.models import Asset, DagCode, DagVersion
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs.models import AssetEvent, DagRun, Pool, RenderedFields, StateChange, TaskInstance, TaskState, Trigger, XCom
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db
PAGE = "/dags/d/runs/r/tasks/t"
TABS = ("rendered_templates", "xcom", "task-state-store", "asset_events", "events", "code", "details")
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def run() -> DagRun:
    renderers = {"bash_command": "bash", "sql": "no-such-language"}
    task = TaskSpec(task_id="t", template_fields_renderers=renderers, attributes={"bash_command": "echo {{ ds }}"})
    Pool.objects.get_or_create(pool="default_pool", defaults={"slots": 128})
    return make_run(make_dag("d", DagSpec(dag_id="d", tasks=[task])), "r")


def text_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.content)
    return answer.content.decode()


def value_of(run: DagRun, key: str, value: str, **fields: Any) -> XCom:
    names = {"dag_run": run, "dag_id": "d", "run_id": "r", "task_id": "t", "timestamp": NOON, "size": len(value)}
    return XCom.objects.create(key=key, value=value, **{**names, **fields})


@pytest.mark.parametrize("tab", TABS)
def test_each_tab_teaches_where_there_is_nothing_and_survives_what_is_gone(run: DagRun, tab: str) -> None:
    make_ti(run, "t", state=None, try_number=0)
    make_ti(run, "gone", state="removed", dag_version=None, try_number=0)
    make_ti(run, "m", state="success", map_index=2, rendered_map_index="two")
    client = client_of("Viewer")
    text = text_of(client, f"{PAGE}/{tab}")
    assert 'aria-current="page"' in text
    assert text.count("<h1") == 1
    assert text_of(client, f"/dags/d/runs/r/tasks/gone/{tab}")
    assert "[two]" in text_of(client, f"/dags/d/runs/r/tasks/m/mapped/2/{tab}")
    assert client.get(f"/dags/d/runs/r/tasks/m/{tab}").headers["Location"] == "/dags/d/runs/r/tasks/m/mapped"
    assert client.get(f"/dags/d/runs/r/tasks/no/{tab}").status_code == 404


def test_rendered_fields_are_highlighted_and_shown_beside_what_was_written(run: DagRun) -> None:
    ti = make_ti(run, "t", state="success")
    fields = {"bash_command": "echo 2026-01-05", "sql": EVIL, "env": {"A": [1, EVIL]}, "none": None}
    RenderedFields.objects.create(pk=ti.pk, dag_run=run, fields=json.dumps(fields))
    text = text_of(client_of("Viewer"), f"{PAGE}/rendered_templates")
    assert '<span class="nb">echo</span>' in text
    assert "echo {{ ds }}" in text
    assert EVIL not in text
    RenderedFields.objects.update(fields="no json")
    assert "Nothing is rendered yet" in text_of(client_of("Viewer", name="other"), f"{PAGE}/rendered_templates")


def test_short_xcoms_are_shown_at_once_and_long_ones_are_cut_with_a_link(run: DagRun) -> None:
    make_ti(run, "t", state="success")
    value_of(run, "return_value", json.dumps({"rows": 12, "evil": EVIL}), mapped_length=2, is_dag_result=True)
    value_of(run, "long/key ?", json.dumps(["x" * 5000]))
    value_of(run, "object", json.dumps({"__classname__": "pandas.DataFrame", "__data__": {}}))
    value_of(run, "away", '{"ref": 1}', location="file:///big", size=10**9)
    value_of(run, "broken", "not json")
    value_of(run, "null", "", size=0)
    client = client_of("Viewer")
    text = text_of(client, f"{PAGE}/xcom")
    assert EVIL not in text
    for shown in ("mapping", "2 items", "result of the run", "pandas.DataFrame", "file:///big", "?key=long%2Fkey%20%3F"):
        assert shown in text
    assert "x" * 3000 not in text
    assert "x" * 5000 in text_of(client, f"{PAGE}/xcom?key=long%2Fkey%20%3F")
    assert client.get(f"{PAGE}/xcom?key=none").status_code == 404
    assert client.get(f"{PAGE}/xcom?key=%00").status_code == 400
    assert "xcom/set" not in text


def test_xcoms_are_written_changed_and_deleted_as_by_the_rest_api(run: DagRun) -> None:
    make_ti(run, "t", state="success")
    client = client_of("User")
    assert client.post(f"{PAGE}/xcom/set", {"key": "k", "value": '{"a": 1}'}).status_code == 302
    assert XCom.objects.get(key="k").value == '{"a": 1}'
    again = client.post(f"{PAGE}/xcom/set", {"key": "k", "value": "2"})
    assert (again.status_code, "There is a value k already" in again.content.decode()) == (422, True)
    assert client.post(f"{PAGE}/xcom/set?key=k", {"value": '"ü"'}).status_code == 302
    assert XCom.objects.get(key="k").value == '"ü"'
    for bad in ("no json", "", "[" * 100_000, '{"__classname__": "orchestrator.xcom_object"}'):
        refused = client.post(f"{PAGE}/xcom/set?key=k", {"value": bad})
        assert refused.status_code in (302, 422)
    assert client.get(f"{PAGE}/xcom/set?key=none").status_code == 404
    assert client.post(f"{PAGE}/xcom/delete?key=k").status_code == 302
    assert not XCom.objects.exists()
    assert client.post(f"{PAGE}/xcom/delete?key=k").status_code == 409
    said = list(AuditLog.objects.order_by("id").values_list("event", "owner", "task_id"))
    assert said[0] == ("create_xcom_entry", "user", "t")
    assert said[-1] == ("delete_xcom_entry", "user", "t")
    reader = client_of("Viewer")
    for path in ("xcom/set", "xcom/delete?key=k", "task-state-store/set", "task-state-store/delete?key=k"):
        assert reader.post(f"{PAGE}/{path}", {"key": "x", "value": "1"}).status_code == 403


def test_kept_values_are_shown_and_written(run: DagRun) -> None:
    ti = make_ti(run, "t", state="running", map_index=1)
    TaskState.objects.create(dag_run=run, task_id="t", map_index=1, key="cursor", value='{"page": 7}', updated_at=NOON)
    page = f"{PAGE}/mapped/1/task-state-store"
    client = client_of("User")
    assert "cursor" in text_of(client, page)
    assert client.post(f"{page}/set?key=cursor", {"value": "8"}).status_code == 302
    assert TaskState.objects.get().value == "8"
    assert client.post(f"{page}/set?key=cursor", {"value": "null"}).status_code == 422
    assert client.post(f"{page}/delete?key=cursor").status_code == 302
    assert not TaskState.objects.exists()
    assert set(AuditLog.objects.values_list("event", flat=True)) == {"patch_task_state_store", "delete_task_state_store"}
    assert ti.pk


def test_events_and_changes_and_asset_events_are_those_of_the_instance(run: DagRun) -> None:
    make_ti(run, "t", state="success")
    AuditLog.objects.create(event="clear_it", owner="ann", dag_id="d", run_id="r", task_id="t", extra=EVIL)
    AuditLog.objects.create(event="other_task", dag_id="d", run_id="r", task_id="x")
    StateChange.objects.create(dag_run=run, task_id="t", from_state="queued", to_state="running", at=NOON, actor="worker-7")
    asset = Asset.objects.create(name="orders", uri="x://orders")
    source = {"source_dag_id": "d", "source_run_id": "r", "source_task_id": "t"}
    AssetEvent.objects.create(asset=asset, timestamp=NOON, extra={"rows": 3}, **source)
    client = client_of("Viewer")
    text = text_of(client, f"{PAGE}/events")
    assert ("clear it" in text, "other task" in text, "worker-7" in text, EVIL in text) == (True, False, True, False)
    text = text_of(client, f"{PAGE}/asset_events")
    assert "orders" in text
    assert "&quot;rows&quot;: 3" in text


def test_the_audit_log_of_an_instance_is_the_list_of_all_pages(run: DagRun) -> None:
    for index in (3, 4):
        make_ti(run, "m", state="success", map_index=index)
        AuditLog.objects.create(
            event=f"mark_{index}",
            dag_id="d",
            run_id="r",
            task_id="m",
            map_index=index,
            before={"state": "failed"},
            after={"state": "success"},
        )
    AuditLog.objects.create(event="clear_all", owner="ann", dag_id="d", run_id="r", task_id="m", reason="wrong data")
    client, path = client_of("Viewer"), "/dags/d/runs/r/tasks/m/mapped/3/events"
    page = client.get(path, {"try": 1})
    assert [row.event for row in page.context["list"].rows] == ["clear_all", "mark_3"]
    text = page.content.decode()
    assert "state: <del>failed</del> → <ins>success</ins>" in text and "wrong data" in text
    assert [row.event for row in client.get(path, {"owner_pattern": "an"}).context["list"].rows] == ["clear_all"]
    assert [row.event for row in client.get(path, {"limit": 1}).context["list"].rows] == ["clear_all"]
    assert client.get("/dags/d/runs/r/tasks/m/events").url == "/dags/d/runs/r/tasks/m/mapped"


def test_the_code_is_that_of_the_version_and_leads_to_the_task(run: DagRun) -> None:
    make_ti(run, "t", state="success")
    DagVersion.objects.update(code=DagCode.objects.create(pk="2" * 32, source_code=f"# {EVIL}\n\n@task\ndef t():\n    pass\n"))
    text = text_of(client_of("Viewer"), f"{PAGE}/code")
    assert 'href="#L-4"' in text
    assert 'id="L-4"' in text
    assert EVIL not in text
    DagCode.objects.update(source_code="x = 1\n" * 50_000)
    assert "x = 1" in text_of(client_of("Viewer", name="two"), f"{PAGE}/code")


def test_the_details_have_every_try_and_why_it_waits(run: DagRun) -> None:
    from tests.integration.ui.test_instance_head import archived

    ti = make_ti(run, "t", state="deferred", try_number=2, max_tries=2, start_date=NOON, executor_config={"a": EVIL}, pid=77)
    archived(ti, try_number=1, state="failed", cause="signal", signal=9, cause_detail=EVIL, start_date=NOON, end_date=NOON)
    trigger = Trigger.objects.create(ti_id=ti.pk, classpath="my.Trigger", created_date=NOON)
    TaskInstance.objects.update(trigger_id=trigger.pk)
    text = text_of(client_of("Viewer"), f"{PAGE}/details")
    for shown in ("my.Trigger", "77", "signal 9", "Why it waits", "all success", "2 of 3"):
        assert shown in text
    assert EVIL not in text


def test_no_tab_asks_more_for_more_rows(run: DagRun) -> None:
    make_ti(run, "t", state="success")
    client = client_of("User")
    AuditLog.objects.create(event="e", dag_id="d", run_id="r", task_id="t")
    few = {tab: _queries(client, tab) for tab in TABS}
    asset = Asset.objects.create(name="orders", uri="x://orders")
    for number in range(20):
        value_of(run, f"k{number}", "1")
        TaskState.objects.create(dag_run=run, task_id="t", key=f"k{number}", value="1", updated_at=NOON)
        AuditLog.objects.create(event="e", dag_id="d", run_id="r", task_id="t")
        StateChange.objects.create(dag_run=run, task_id="t", at=NOON)
        AssetEvent.objects.create(asset=asset, timestamp=NOON, source_dag_id="d", source_run_id="r", source_task_id="t")
    many = {tab: _queries(client, tab) for tab in TABS}
    assert {tab: many[tab] - few[tab] for tab in TABS if many[tab] - few[tab] > (3 if tab == "asset_events" else 0)} == {}
    assert max(many.values()) <= 24


def _queries(client: Client, tab: str) -> int:
    with CaptureQueriesContext(connection) as caught:
        text_of(client, f"{PAGE}/{tab}")
    return len(caught)
