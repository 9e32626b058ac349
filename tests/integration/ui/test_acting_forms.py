"""Every dialog changes what it showed, is audited with who did it, and answers 403, 404 and 422 where it should."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditLog
from dags_app.models import Dag
from orchestrator.sdk.serialization.spec import DagSpec, TaskGroupSpec, TaskSpec
from runs.models import DagRun, Hold, TaskInstance
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db

RUN = "/dags/etl/runs/r1"
TASK = f"{RUN}/tasks/load"


@pytest.fixture
def run() -> DagRun:
    """A failed run: ``extract`` → ``load`` [0..2] → ``report``; the group ``group_a`` holds ``load``; no logical date."""
    tasks = [
        TaskSpec(task_id="extract", downstream_task_ids=["load"]),
        TaskSpec(task_id="load", upstream_task_ids=["extract"], downstream_task_ids=["report"], is_mapped=True),
        TaskSpec(task_id="report", upstream_task_ids=["load"]),
    ]
    groups = [
        TaskGroupSpec(group_id=None, children=["extract", "group_a", "report"]),
        TaskGroupSpec(group_id="group_a", children=["load"]),
    ]
    dag = make_dag("etl", DagSpec(dag_id="etl", timetable={"type": "NullTimetable"}, tasks=tasks, task_groups=groups))
    made = make_run(dag, "r1", state="failed", logical_date=None, end_date=NOON)
    make_ti(made, "extract", state="success")
    for index in range(3):
        make_ti(made, "load", map_index=index, state="failed" if index == 1 else "success")
    make_ti(made, "report", state="upstream_failed")
    return made


@pytest.fixture
def client(run: DagRun) -> Client:
    return client_of("User", name="ann")


def states(run: DagRun) -> dict[str, str | None]:
    rows = TaskInstance.objects.filter(dag_run=run)
    return {f"{row.task_id}{row.map_index if row.map_index >= 0 else ''}": row.state for row in rows}


def the_audit(event: str) -> AuditLog:
    row = AuditLog.objects.get(event=event)
    assert row.owner == "ann"
    return row


def send(client: Client, url: str, query: str = "", **given: Any) -> Any:
    """Look at a form, then send what it shows with more."""
    seen = client.get(f"{url}?{query}").context
    rows = [str(row.pk) for item in seen["seen"].runs for task in item.tasks for row in task.rows] if seen.get("seen") else []
    form = seen["form"]
    data = dict.fromkeys(form.on, "on") | {"previewed": form.signature, "boxes": "yes", "row": rows, "asked": "yes"}
    data |= {"mode": getattr(form, "mode", ""), "state": getattr(form, "state", ""), **given}
    return client.post(url, data)


def test_a_task_is_cleared_with_what_is_below_it_as_the_form_showed(client: Client, run: DagRun) -> None:
    answer = send(client, TASK + "/mapped/1/clear", note="bad input")
    assert (answer.status_code, answer["Location"]) == (302, TASK + "/mapped/1")
    assert states(run) == {"extract": "success", "load0": "success", "load1": None, "load2": "success", "report": None}
    run.refresh_from_db()
    assert run.state == "queued"
    audit = the_audit("post_clear_task_instances")
    assert (audit.run_id, audit.task_id, audit.map_index, audit.reason) == ("r1", "load", 1, "bad input")
    assert json.loads(audit.extra or "")["task_instances"] == 2
    assert TaskInstance.objects.get(dag_run=run, task_id="report").note == "bad input"


def test_what_was_taken_out_of_a_clear_stays_as_it_is(client: Client, run: DagRun) -> None:
    kept = TaskInstance.objects.get(dag_run=run, task_id="load", map_index=1)
    send(client, TASK + "/clear", row=[str(kept.pk)])
    assert states(run) == {
        "extract": "success",
        "load0": "success",
        "load1": None,
        "load2": "success",
        "report": "upstream_failed",
    }
    assert json.loads(the_audit("post_clear_task_instances").extra or "")["left_out"] == 3


def test_a_clear_that_reaches_other_than_was_shown_shows_it_first(client: Client, run: DagRun) -> None:
    answer = send(client, TASK + "/clear", upstream="on")
    assert answer.status_code == 422
    assert "extract" in answer.content.decode() and "Look at them" in answer.content.decode()
    assert states(run)["load1"] == "failed" and not AuditLog.objects.exists()


def test_a_clear_with_nothing_chosen_or_with_something_running_is_refused(client: Client, run: DagRun) -> None:
    assert send(client, TASK + "/clear", row=[]).status_code == 422
    TaskInstance.objects.filter(dag_run=run, task_id="report").update(state="running")
    assert send(client, TASK + "/clear", guard="on").status_code == 422
    assert states(run)["load1"] == "failed"
    assert send(client, TASK + "/clear").status_code == 302
    assert states(run)["report"] in ("restarting", None)


def test_a_group_is_cleared_and_marked(client: Client, run: DagRun) -> None:
    assert send(client, RUN + "/tasks/group/group_a/mark", "state=success").status_code == 302
    assert [state for name, state in states(run).items() if name.startswith("load")] == ["success"] * 3
    assert json.loads(the_audit("patch_task_group_instances").extra or "")["group_id"] == "group_a"
    assert send(client, RUN + "/tasks/group/group_a/clear", "only_failed=1").status_code == 422  # nothing failed any more
    assert client.get(RUN + "/tasks/group/none/clear").status_code == 404


def test_a_run_is_cleared_whole_only_where_it_failed_or_only_for_new_tasks(client: Client, run: DagRun) -> None:
    assert send(client, RUN + "/clear", "mode=failed", note="again").status_code == 302
    assert states(run) == {"extract": "success", "load0": "success", "load1": None, "load2": "success", "report": None}
    run.refresh_from_db()
    assert (run.note, json.loads(the_audit("clear_dag_run").extra or "")["only_failed"]) == ("again", True)
    assert "no task that this run does not have" in client.get(RUN + "/clear?mode=new").content.decode()
    assert send(client, RUN + "/clear", "mode=new").status_code == 422
    assert send(client, RUN + "/clear", "mode=existing").status_code == 302
    assert set(states(run).values()) == {None}


def test_a_task_is_marked_and_what_failed_below_runs_again(client: Client, run: DagRun) -> None:
    page = client.get(TASK + "/mapped/1/mark?state=success")
    assert page.context["seen"].total == 1 and "1 that failed below runs again" in " ".join(page.content.decode().split())
    assert send(client, TASK + "/mapped/1/mark", "state=success", note="fixed by hand").status_code == 302
    assert (states(run)["load1"], states(run)["report"]) == ("success", None)
    audit = the_audit("patch_task_instance")
    assert (audit.task_id, audit.map_index, audit.reason) == ("load", 1, "fixed by hand")


def test_a_mark_reaches_only_the_boxes_that_are_left(client: Client, run: DagRun) -> None:
    kept = TaskInstance.objects.get(dag_run=run, task_id="load", map_index=2)
    assert send(client, TASK + "/mark", "state=failed", row=[str(kept.pk)]).status_code == 302
    assert [states(run)[f"load{index}"] for index in range(3)] == ["success", "failed", "failed"]


def test_neighbouring_runs_are_reached_only_from_a_run_with_a_logical_date(client: Client, run: DagRun) -> None:
    assert client.get(TASK + "/clear?past=1&future=1").context["form"].on == frozenset()
    for number in (2, 3):
        other = make_run(run.dag, f"r{number}", state="failed", logical_date=NOON + timedelta(days=number))
        make_ti(other, "report", state="failed")
    page = client.get("/dags/etl/runs/r2/tasks/report/clear?future=1")
    assert (page.context["seen"].total, page.context["seen"].run_total) == (2, 2)
    assert client.get("/dags/etl/runs/r3/tasks/report/clear?future=1").context["seen"].total == 1


def test_a_run_is_marked_stopped_held_and_released(client: Client, run: DagRun) -> None:
    assert send(client, RUN + "/mark", "state=success", note="good enough").status_code == 302
    run.refresh_from_db()
    after: Any = the_audit("patch_dag_run").after
    assert (run.state, run.note, after["state"]) == ("success", "good enough", "success")
    assert client.post(RUN + "/stop").status_code == 409
    assert client.post(RUN + "/hold", {"reason": "wait"}).status_code == 409
    DagRun.objects.update(state="running")
    assert client.post(RUN + "/hold", {"reason": "wait", "until": "2001-01-01T00:00"}).status_code == 409
    assert client.post(RUN + "/hold", {"reason": "wait"}).status_code == 302
    assert "Held by ann: wait" in client.get(RUN + "/release").content.decode()
    assert client.post(RUN + "/release").status_code == 302 and not Hold.objects.exists()
    assert client.post(RUN + "/release").status_code == 409
    assert client.post(RUN + "/stop").status_code == 302
    run.refresh_from_db()
    assert (run.state, the_audit("stop_dag_run").before) == ("failed", {"state": "running"})
    assert (the_audit("hold").run_id, the_audit("release").run_id) == ("r1", "r1")


def test_a_waiting_task_is_retried_now_given_up_or_held(client: Client, run: DagRun) -> None:
    assert client.post(TASK + "/mapped/1/retry_now").status_code == 409
    TaskInstance.objects.filter(task_id="load", map_index=1).update(state="up_for_retry", retry_at=NOON + timedelta(days=900))
    assert client.post(TASK + "/mapped/1/retry_now").status_code == 302
    assert the_audit("retry_now").map_index == 1
    assert client.post(TASK + "/mapped/1/give_up").status_code == 302
    assert states(run)["load1"] == "failed" and the_audit("give_up").task_id == "load"
    DagRun.objects.update(state="running")
    assert client.post(TASK + "/hold").status_code == 302 and Hold.objects.get().task_id == "load"
    assert client.post(TASK + "/release").status_code == 302


def test_notes_are_written_shown_and_taken_away(client: Client, run: DagRun) -> None:
    assert "<strong>see</strong>" in client.get(RUN + "/note?note=**see**").content.decode()
    assert client.post(RUN + "/note", {"note": "n" * 1001}).status_code == 422
    assert client.post(RUN + "/note", {"note": "**see** <script>x</script>"}).status_code == 302
    assert client.post(TASK + "/mapped/0/note", {"note": "one"}).status_code == 302
    run.refresh_from_db()
    assert (run.note_user, TaskInstance.objects.get(task_id="load", map_index=0).note) == ("ann", "one")
    assert client.post(RUN + "/note", {"note": " "}).status_code == 302
    run.refresh_from_db()
    assert run.note is None
    assert [row.owner for row in AuditLog.objects.filter(event="patch_dag_run")] == ["ann"] * 2
    assert the_audit("patch_task_instance").map_index == 0


def test_a_run_a_task_instance_and_a_dag_are_deleted_with_what_belongs_to_them(client: Client, run: DagRun) -> None:
    assert client.post(TASK + "/mapped/0/delete").status_code == 302
    assert "load0" not in states(run) and the_audit("delete_task_instance").map_index == 0
    DagRun.objects.update(state="running")
    assert client.post(RUN + "/delete").status_code == 409
    DagRun.objects.update(state="failed")
    page = client.get(RUN + "/delete").content.decode()
    assert "4 task instances" in page and "cannot be undone" in page
    answer = client.post(RUN + "/delete", {"next": f"{RUN}/tasks/load"})
    assert (answer.status_code, answer["Location"]) == (302, "/dags/etl")  # what is gone is no place to go back to
    assert not DagRun.objects.exists() and the_audit("delete_dag_run").run_id == "r1"
    assert client.post("/dags/etl/delete", {"typed": "et"}).status_code == 422
    assert client.post("/dags/etl/delete", {"typed": "etl"}).status_code == 302
    assert not Dag.objects.exists() and the_audit("delete_dag").dag_id == "etl"


ACTIONS = [
    *(f"{RUN}/{word}" for word in ("clear", "mark", "note", "delete", "stop", "hold", "release")),
    *(f"{TASK}/mapped/1/{word}" for word in ("clear", "mark", "note", "delete", "hold", "release", "retry_now", "give_up")),
    *(f"{RUN}/tasks/group/group_a/{word}" for word in ("clear", "mark")),
    "/dags/etl/delete",
]


@pytest.mark.parametrize("url", ACTIONS)
def test_a_form_opens_as_a_page_and_a_dialog_and_only_for_those_who_may_act(url: str, client: Client, run: DagRun) -> None:
    page, dialog = client.get(url).content.decode(), client.get(url, headers={"X-Dialog": "1"}).content.decode()
    assert page.count("<h1") == 1 and "dialog-head" in dialog and "<html" not in dialog
    viewer = client_of("Viewer")
    assert viewer.get(url).status_code == viewer.post(url).status_code == 403
    checked = Client(enforce_csrf_checks=True)
    checked.cookies = client.cookies
    assert checked.post(url).status_code == 403
    for part, other in (("etl", "none"), ("/r1", "/none"), ("load/mapped/1", "none"), ("mapped/1", "mapped/9")):
        if part in url:
            assert client.get(url.replace(part, other, 1)).status_code == 404
    assert not AuditLog.objects.exists()


def test_a_run_without_a_version_and_a_removed_task_have_forms_that_work(client: Client, run: DagRun) -> None:
    DagRun.objects.update(created_dag_version=None)
    make_ti(run, "gone", state="removed", dag_version=None)
    assert send(client, RUN + "/clear", "mode=failed").status_code == 302
    assert client.get(f"{RUN}/tasks/gone/clear").status_code == client.get(f"{RUN}/tasks/gone/mark").status_code == 200
    Dag.objects.update(latest_version=None)
    for url in (RUN + "/clear", TASK + "/clear", RUN + "/mark", TASK + "/mark"):
        assert client.get(url).status_code == 200
    assert send(client, TASK + "/clear").status_code == 422


def test_the_form_of_a_dialog_tells_where_to_go_and_leads_nowhere_else(client: Client, run: DagRun) -> None:
    answer = client.post(RUN + "/note", {"note": "x", "next": "/dag_runs?state=failed"}, headers={"X-Dialog": "1"})
    assert (answer.status_code, answer["X-Location"]) == (204, "/dag_runs?state=failed")
    assert client.post(RUN + "/note", {"note": "y", "next": "https://evil.example/"})["Location"] == RUN
    came = client.post(RUN + "/note", {"note": "z"}, headers={"Referer": "http://testserver/dags?tag=a"})
    assert came["Location"] == "/dags?tag=a"


def test_c07_the_forms_of_a_clear_and_a_mark_take_as_many_queries_for_many_rows(client: Client, run: DagRun) -> None:
    def queries(url: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(url).status_code == 200
        return len(seen)

    urls = (RUN + "/clear", TASK + "/clear", TASK + "/mark?state=failed")
    few = [queries(url) for url in urls]
    for index in range(3, 40):
        make_ti(run, "load", map_index=index, state="failed")
    assert [queries(url) for url in urls] == few
