"""The form that starts a run: every kind of param, what a link prefills, what is wrong said at its field, and what is kept."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditLog
from dags_app.models import Dag
from orchestrator.sdk.serialization.spec import DagSpec
from runs.models import DagRun
from runs.pages.param_fields import fields_of
from tests.factories import NOON, make_dag, make_run
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db

FORM = "/dags/etl/trigger"
PARAMS: dict[str, Any] = {
    "plain_number": {"value": 3, "schema": {}},
    "plain_list": {"value": ["one", "two"], "schema": {}},
    "plain_object": {"value": {"a": 1}, "schema": {}},
    "plain_switch": {"value": False, "schema": {}},
    "name": {"value": None, "schema": {"type": "string", "title": "Your name", "minLength": 2, "section": "Who"}},
    "count": {"value": 4, "schema": {"type": "integer", "minimum": 1, "maximum": 9}},
    "ratio": {"value": None, "schema": {"type": ["null", "number"]}},
    "when": {"value": "2026-01-05T12:00:00+00:00", "schema": {"type": "string", "format": "date-time"}},
    "day": {"value": "2026-01-05", "schema": {"type": "string", "format": "date"}},
    "hour": {"value": "12:30:00", "schema": {"type": "string", "format": "time"}},
    "text": {
        "value": "a\nb",
        "schema": {"type": "string", "format": "multiline", "description_md": "**bold** <script>x</script>"},
    },
    "size": {"value": 2, "schema": {"enum": [1, 2, "all"], "values_display": {"1": "one"}}},
    "guess": {"value": "x", "schema": {"type": "string", "examples": ["x", "y"]}},
    "many": {"value": ["a"], "schema": {"type": "array", "examples": ["a", "b"]}},
    "numbers": {"value": [1], "schema": {"type": "array", "items": {"type": "integer"}}},
    "rows": {"value": [{"x": 1}], "schema": {"type": "array", "items": {"type": "object"}}},
    "tree": {"value": {}, "schema": {"type": "object"}},
    "on": {"value": True, "schema": {"type": "boolean"}},
    "maybe": {"value": None, "schema": {"type": ["boolean", "null"]}},
    "mixed": {"value": 5, "schema": {"type": ["integer", "string"]}},
    "fixed": {"value": "f", "schema": {"const": "f", "custom_html_form": "<b>no</b>"}},
}
KINDS = {
    **{"plain_number": "integer", "plain_list": "lines", "plain_object": "object", "plain_switch": "boolean", "name": "string"},
    **{"count": "integer", "ratio": "number", "when": "date-time", "day": "date", "hour": "time", "text": "multiline"},
    **{"size": "choice", "guess": "proposals", "many": "several", "numbers": "lines", "rows": "json", "tree": "object"},
    **{"on": "boolean", "maybe": "boolean", "mixed": "any", "fixed": "constant"},
}


@pytest.fixture
def dag() -> Dag:
    return make_dag("etl", DagSpec(dag_id="etl", timetable={"type": "NullTimetable"}, params=PARAMS))


@pytest.fixture
def client(dag: Dag) -> Client:
    return client_of("User", name="ann")


def fields(**changed: Any) -> dict[str, Any]:
    """What the fields send as they are shown at first, with changes."""
    data: dict[str, Any] = {"asked": "yes", "source": "fields", "conf": "{}"}
    for item in fields_of(PARAMS, {"name": "Ann"}, {}):
        if item.kind == "several":
            data[item.key] = sorted(item.values)
        elif item.kind != "boolean" or item.is_nullable:
            data[item.key] = item.text
        elif item.ticked:
            data[item.key] = "on"
    return data | {f"param.{name}": value for name, value in changed.items()}


def test_every_schema_has_its_kind_of_field() -> None:
    assert {item.name: item.kind for item in fields_of(PARAMS, {}, {})} == KINDS


def test_the_form_sent_as_it_is_shown_gives_every_param_its_default(client: Client) -> None:
    answer = client.post(FORM, fields())
    run = DagRun.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/dags/etl/runs/{run.run_id}")
    assert run.conf == {name: param["value"] for name, param in PARAMS.items()} | {"name": "Ann"}
    assert (run.logical_date, run.triggered_by, run.triggering_user_name) == (None, "ui", "ann")
    audit = AuditLog.objects.get(event="trigger_dag_run")
    assert (audit.owner, audit.run_id, json.loads(audit.extra or "")["conf"]["count"]) == ("ann", run.run_id, 4)


def test_values_are_read_as_the_type_that_their_schema_wants(client: Client) -> None:
    given = {
        **{"plain_number": "7", "ratio": "0.5", "size": '"all"', "many": ['"a"', '"b"'], "numbers": "1\n\n 2 \n", "mixed": "abc"},
        **{"when": "2026-03-01T08:30", "hour": "06:15", "maybe": "false", "tree": '{"k": [1]}', "plain_switch": "on"},
    }
    assert client.post(FORM, fields(**given)).status_code == 302
    conf = DagRun.objects.get().conf
    assert {name: conf[name] for name in given} == {
        **{"plain_number": 7, "ratio": 0.5, "size": "all", "many": ["a", "b"], "numbers": [1, 2], "mixed": "abc"},
        **{"when": "2026-03-01T08:30:00+00:00", "hour": "06:15:00", "maybe": False, "tree": {"k": [1]}, "plain_switch": True},
    }


def test_what_is_wrong_is_said_at_its_field_and_what_was_written_stays(client: Client) -> None:
    answer = client.post(FORM, fields(name="", count="99", plain_number="many", rows="[{", numbers="1\nx"))
    problems = answer.context["form"].param_problems
    assert answer.status_code == 422 and not DagRun.objects.exists()
    assert sorted(problems) == ["count", "name", "numbers", "plain_number", "rows"]
    assert "99 is greater than the maximum of 9" in problems["count"]
    html = answer.content.decode()
    assert 'value="many"' in html and "This needs a value." in html and html.count('aria-invalid="true"') == 5


NO_VALUES = ("NaN", "[-Infinity]", "1e999", '"a\\u0000b"', '{"a\\u0000": 1}', '"\\ud800"', "9" * 5000, "[" * 300 + "]" * 300)


@pytest.mark.parametrize("text", NO_VALUES)
def test_what_no_database_keeps_is_refused_in_the_configuration(client: Client, text: str) -> None:
    conf = f'{{"name": "Ann", "more": {text}}}'
    for sent in (fields() | {"conf": conf}, fields() | {"source": "json", "conf": conf}):
        answer = client.post(FORM, sent)
        assert answer.status_code == 422 and "This is no" in answer.context["form"].problems["conf"]
    assert client.get(FORM, {"conf": conf}).status_code == client.get(FORM, {"mixed": text}).status_code == 200
    assert client.post(f"{FORM}/check", {"conf": conf, "source": "json"}).status_code == 200


@pytest.mark.parametrize("text", NO_VALUES)
def test_what_no_database_keeps_is_refused_in_a_field(client: Client, text: str) -> None:
    names = ("count", "ratio", "size", "rows", "tree", "numbers")
    answer = client.post(FORM, fields(many=[text], **dict.fromkeys(names, text)))
    assert answer.status_code == 422 and {*answer.context["form"].param_problems} == {*names, "many"}
    assert not DagRun.objects.exists()


def test_the_json_beside_the_fields_counts_where_it_was_written_last(client: Client) -> None:
    conf = {"name": "Bea", "extra": 1}
    assert client.post(FORM, fields() | {"source": "json", "conf": json.dumps(conf)}).status_code == 302
    assert DagRun.objects.get().conf == conf
    assert client.post(FORM, fields() | {"source": "json", "conf": "[1]"}).status_code == 422
    assert client.post(FORM, fields() | {"source": "json", "conf": "{"}).status_code == 422
    assert client.post(FORM, fields(name="Cid") | {"conf": json.dumps(conf)}).status_code == 302
    assert DagRun.objects.latest("id").conf["extra"] == 1  # what has no field is kept


def test_the_check_says_what_either_side_means_and_changes_nothing(client: Client) -> None:
    said = client.post(f"{FORM}/check", fields(count="99")).json()
    assert json.loads(said["conf"])["count"] == 99 and sorted(said["problems"]) == ["count"] and "fields" not in said
    said = client.post(f"{FORM}/check", fields() | {"source": "json", "conf": '{"name": "Dora"}'}).json()
    assert 'value="Dora"' in said["fields"] and said["problems"] == {}
    assert client.post(f"{FORM}/check", fields() | {"source": "json", "conf": "{"}).json()["error"].startswith("This is no JSON")
    assert not DagRun.objects.exists() and not AuditLog.objects.exists()


def test_a_link_prefills_a_configuration_a_run_or_single_params(client: Client, dag: Dag) -> None:
    make_run(dag, "old", conf={"name": "Old", "count": 2})
    make_run(dag, "same", conf={"count": 2, "name": "Old"})
    for query in ('conf={"name": "Old"}', "run_id=old", "name=Old"):
        assert client.get(f"{FORM}?{query}").context["form"].conf["name"] == "Old"
    assert client.get(f"{FORM}/single?dag_run_id=mine&note=n").context["form"].texts["run_id"] == "mine"
    assert client.get(f"{FORM}?conf={{").context["form"].problems["conf"].startswith("This is no JSON")
    assert "no run gone" in client.get(f"{FORM}?run_id=gone").context["form"].problems["conf"]
    page = client.get(FORM)
    assert len(page.context["recent"]) == 1
    html = page.content.decode()
    assert "<strong>bold</strong>" in html and "<script>x" not in html and "<b>no</b>" not in html and "param.fixed" not in html


def test_dates_ids_notes_and_the_interval_are_kept_or_refused(client: Client, dag: Dag) -> None:
    more = {"run_id": "mine", "note": "why", "logical_date": "2026-01-02T03:04", "run_after": "2026-01-03T00:00"}
    more |= {"interval_start": "2026-01-01T00:00", "interval_end": "2026-01-02T00:00"}
    assert client.post(FORM, fields() | more).status_code == 302
    run = DagRun.objects.get()
    assert (run.run_id, run.note, run.note_user, run.logical_date) == (
        "mine",
        "why",
        "ann",
        datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
    )
    assert (run.data_interval_start, run.run_after) == (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC))
    for wrong, name in (
        ({"run_id": "mine"}, "run_id"),
        ({"run_id": "scheduled__x"}, "run_id"),
        ({"logical_date": "2026-01-02T03:04"}, "logical_date"),
        ({"logical_date": "soon"}, "logical_date"),
        ({"interval_start": "2026-01-01T00:00"}, "interval_end"),
        ({"partition_key": "k"}, "partition_key"),
        ({"note": "n" * 1001}, "note"),
    ):
        answer = client.post(FORM, fields() | wrong)
        assert (answer.status_code, list(answer.context["form"].problems)) == (422, [name])
    assert DagRun.objects.count() == 1


def test_a_paused_dag_is_switched_on_where_that_is_asked(client: Client, dag: Dag) -> None:
    Dag.objects.update(is_paused=True)
    assert client.post(FORM, fields()).status_code == 302
    assert Dag.objects.get().is_paused
    assert client.post(FORM, fields() | {"unpause": "on"}).status_code == 302
    assert not Dag.objects.get().is_paused and AuditLog.objects.filter(event="unpaused", owner="ann").count() == 1


def test_one_click_starts_a_dag_that_needs_nothing_and_leads_to_the_form_of_one_that_does(client: Client) -> None:
    assert client.post(FORM)["Location"] == FORM and not DagRun.objects.exists()
    make_dag("easy", DagSpec(dag_id="easy", params={"count": PARAMS["count"]}))
    assert client.post("/dags/easy/trigger")["Location"].startswith("/dags/easy/runs/manual__")
    assert DagRun.objects.get().conf == {}
    make_dag("closed", DagSpec(dag_id="closed", allowed_run_types=["scheduled"]))
    assert "cannot be started by hand" in client.get("/dags/closed/trigger").content.decode()
    assert client.post("/dags/closed/trigger", {"asked": "yes", "conf": "{}"}).status_code == 422


def test_the_form_is_for_those_who_may_act_and_for_dags_that_are_there(client: Client, dag: Dag) -> None:
    viewer = client_of("Viewer")
    for url in (FORM, f"{FORM}/check"):
        assert viewer.post(url).status_code == 403
        assert client.post(url.replace("etl", "none")).status_code == 404
    assert viewer.get(FORM).status_code == 403
    checked = Client(enforce_csrf_checks=True)
    checked.cookies = client.cookies
    assert checked.post(FORM, fields()).status_code == 403
    assert "dialog-head" in client.get(FORM, headers={"X-Dialog": "1"}).content.decode()
    Dag.objects.update(latest_version=None)
    assert client.get(FORM).status_code == 404


def test_c07_the_form_takes_as_many_queries_for_many_runs(client: Client, dag: Dag) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            client.get(FORM)
        return len(seen)

    make_run(dag, "r", conf={"count": 1}, run_after=NOON)
    few = queries()
    for number in range(20):
        make_run(dag, f"r{number}", conf={"count": number}, run_after=NOON)
    assert queries() == few
