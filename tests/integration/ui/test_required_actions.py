"""The inbox of questions: who sees and answers them, from anywhere and from the tabs of a DAG, a run and a task."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import AuditLog, DagRule, User
from accounts.roles import Role
from orchestrator.kernel.clock import utcnow
from runs import transitions
from runs.hitl.services import question_ask
from runs.models import DagRun, HITLDetail, TaskInstance
from runs.reports import InputWait
from tests.factories import make_dag, make_run, make_ti
from tests.integration.ui.costs import queries_of
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db

QUESTION = {
    "options": ["Approve", "Reject"],
    "subject": "Ship it?",
    "body": None,
    "defaults": None,
    "multiple": False,
    "params": {},
}
AMOUNT = {"amount": {"value": 100, "description": None, "schema": {"type": "integer", "minimum": 1}}}


@pytest.fixture
def run() -> DagRun:
    return make_run(make_dag("etl"), "r1")


@pytest.fixture
def client(run: DagRun) -> Client:
    return client_of("User", name="ann")


def ask(run: DagRun, task_id: str = "t", *, timeout: timedelta | None = None, map_index: int = -1, **more: Any) -> TaskInstance:
    """An attempt that has asked and waits."""
    ti = make_ti(run, task_id, state="running", map_index=map_index)
    now = utcnow()
    question_ask(ti, QUESTION | more, now=now)
    wait = InputWait(ti.pk, ti.dispatch_id, "execute_complete", {}, now + timeout if timeout else None)
    with transaction.atomic():
        assert transitions.await_input([wait], now=now)[ti.pk].won
    return ti


def text_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return str(answer.content.decode())


def test_the_inbox_shows_the_open_question_with_a_button_for_each_option(client: Client, run: DagRun) -> None:
    ask(run, body="Look at **the numbers**.", timeout=timedelta(minutes=5), defaults=["Reject"])
    text = text_of(client, "/required_actions")
    assert "Ship it?" in text and "<strong>the numbers</strong>" in text
    assert 'value="Approve"' in text and 'value="Reject"' in text
    assert "Without an answer <strong>Reject</strong> is taken" in text


def test_an_answer_is_taken_audited_and_leads_to_the_next_question(client: Client, run: DagRun) -> None:
    ti = ask(run, params=AMOUNT)
    answer = client.post(f"/required_actions/{ti.pk}", {"chosen": "Approve", "param.amount": "7"})
    assert (answer.status_code, answer["Location"]) == (302, "/required_actions")
    row = HITLDetail.objects.get()
    assert (row.chosen_options, row.params_input, row.responded_by) == (["Approve"], {"amount": 7}, {"id": "ann", "name": "ann"})
    assert AuditLog.objects.get(event="update_hitl_detail").owner == "ann"
    assert TaskInstance.objects.get().state == "scheduled"
    assert "Nothing waits for you" in text_of(client, "/required_actions")
    answered = text_of(client, f"/required_actions?show=answered&id={ti.pk}")
    assert "<dd>ann</dd>" in answered and "amount" in answered


def test_a_wrong_value_or_no_option_leaves_the_question_open_and_says_why(client: Client, run: DagRun) -> None:
    ti = ask(run, params=AMOUNT, options=["x", "y"], multiple=True)
    for data, words in (
        ({"chosen": "x", "param.amount": "0"}, "some fields need another value"),
        ({"chosen": "x", "param.amount": "many"}, "This is no whole number"),
        ({"param.amount": "1"}, "Choose an option"),
        ({"chosen": "z", "param.amount": "1"}, "Invalid options"),
    ):
        answer = client.post(f"/required_actions/{ti.pk}", data)
        assert (answer.status_code, words in answer.content.decode()) == (422, True), words
    assert HITLDetail.objects.get().responded_at is None
    assert client.post(f"/required_actions/{ti.pk}", {"chosen": ["x", "y"], "param.amount": "2"}).status_code == 302
    assert HITLDetail.objects.get().chosen_options == ["x", "y"]


def test_the_second_answer_is_told_that_the_first_counts(client: Client, run: DagRun) -> None:
    ti = ask(run)
    client.post(f"/required_actions/{ti.pk}", {"chosen": "Approve"})
    answer = client.post(f"/required_actions/{ti.pk}", {"chosen": "Reject"}, follow=True)
    assert "was answered before you" in answer.content.decode()
    assert HITLDetail.objects.get().chosen_options == ["Approve"]


def test_a_question_for_others_names_them_and_has_no_form(client: Client, run: DagRun) -> None:
    ti = ask(run, assignees=[{"id": "bob", "name": "Bob"}])
    text = text_of(client, "/required_actions")
    assert "Only Bob may answer" in text and 'name="chosen"' not in text
    assert client.post(f"/required_actions/{ti.pk}", {"chosen": "Approve"}).status_code == 422
    assert client_of("User", name="bob").post(f"/required_actions/{ti.pk}", {"chosen": "Approve"}).status_code == 302


def test_a_viewer_reads_and_cannot_answer_and_a_stranger_sees_nothing(run: DagRun) -> None:
    ti = ask(run)
    viewer = client_of("Viewer")
    text = text_of(viewer, "/required_actions")
    assert "Ship it?" in text and 'name="chosen"' not in text
    assert viewer.post(f"/required_actions/{ti.pk}", {"chosen": "Approve"}).status_code == 403
    stranger = client_of("Op", name="stranger")
    DagRule.objects.create(user=User.objects.get(username="stranger"), dag_id="other*", role=Role.OP)
    assert "Ship it?" not in text_of(stranger, "/required_actions")
    assert stranger.get(f"/required_actions/{ti.pk}").status_code == 404
    assert stranger.get("/dags/etl/required_actions").status_code == 404


def test_filters_by_answer_dag_and_subject_narrow_the_list(client: Client, run: DagRun) -> None:
    first = ask(run, "a", subject="Pay the bill?")
    ask(make_run(make_dag("other"), "r2"), "b", subject="Send the mail?")
    client.post(f"/required_actions/{first.pk}", {"chosen": "Approve"}, follow=True)
    assert "Pay the bill" not in text_of(client, "/required_actions")
    assert "Pay the bill" in text_of(client, "/required_actions?show=answered")
    assert "Send the mail" not in text_of(client, "/required_actions?show=all&dag_id_pattern=etl")
    assert "Pay the bill" not in text_of(client, "/required_actions?show=all&subject_search=mail")
    assert "Nothing matches" in text_of(client, "/required_actions?subject_search=zzz")
    assert text_of(client, f"/required_actions?id={uuid4()}") and text_of(client, "/required_actions?id=x&offset=-1&show=q")


def test_the_tabs_show_the_questions_of_their_place_alone(client: Client, run: DagRun) -> None:
    ask(run, "a", subject="Of a?")
    ask(run, "m", subject="Of m one?", map_index=1)
    base = "/dags/etl/runs/r1"
    assert "Of a?" in text_of(client, "/dags/etl/required_actions") and "Of m one?" in text_of(client, f"{base}/required_actions")
    one = text_of(client, f"{base}/tasks/m/mapped/1/required_actions")
    assert "Of m one?" in one and "Of a?" not in one
    assert "Of a?" in text_of(client, f"{base}/tasks/a/required_actions")
    assert client.get(f"{base}/tasks/nope/required_actions").status_code == 404
    assert client.get("/dags/etl/runs/nope/required_actions").status_code == 404
    tab = text_of(client, f"{base}/required_actions")
    assert f'<a href="{base}/required_actions" aria-current="page">Required actions <span class="count">2</span></a>' in tab


def test_the_page_takes_as_many_queries_for_one_question_as_for_many(client: Client, run: DagRun) -> None:
    ask(run, "t0")
    first = queries_of(client, "/required_actions")
    for number in range(1, 8):
        ask(run, f"t{number}")
    assert queries_of(client, "/required_actions") == first <= 12
