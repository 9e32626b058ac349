"""Every address on a page of a run leads to that run, whatever the id of the run has in it."""

import html
import re
from urllib.parse import unquote, urlsplit

import pytest
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import resolve, reverse

from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.ui.logs import said, write_log
from tests.integration.ui.signed_in import client_of
from tests.page_routes import page_routes

pytestmark = pytest.mark.django_db
RUN_ID = "asset/x?y#z%2F<b>"
NAMES = {"dag_id": "a", "run_id": RUN_ID, "task_id": "t", "map_index": 0, "group_id": "g"}
ADDRESSES = re.compile(r'(?:href|action|hx-get|hx-post|data-url|name="next" value)="(/dags/a/runs/[^"]*)"')


@pytest.fixture
def client() -> Client:
    run = make_run(make_dag("a"), RUN_ID, conf={"x": 1})
    ti = make_ti(run, "t", state="failed", start_date=NOON, end_date=NOON)
    make_ti(run, "m", map_index=0, state="success", start_date=NOON, end_date=NOON)
    write_log(ti, [said("begin"), said("bad", level="error")])
    return client_of("Admin")


def pages() -> list[str]:
    """The addresses of all pages of the run."""
    found = []
    for route in page_routes(NAMES):
        names = re.findall(r"<(?:\w+:)?(\w+)>", route.pattern)
        if "run_id" in names and set(names) <= set(NAMES):
            for task in {"t", "m"} if "task_id" in names else {""}:
                found.append(
                    reverse(route.name, kwargs={name: NAMES[name] for name in names} | ({"task_id": task} if task else {}))
                )
    return sorted(found)


def addresses_in(answer: HttpResponseBase) -> list[str]:
    """The addresses within the run to which an answer leads."""
    if answer.status_code in (301, 302):
        return [answer["Location"]]
    text = b"".join(answer).decode(errors="replace") if answer["Content-Type"].startswith("text/html") else ""  # type: ignore[attr-defined]
    return [html.unescape(address) for address in ADDRESSES.findall(text)]


def run_of(address: str) -> str | None:
    """The id of the run at an address; None where no page is."""
    return resolve(unquote(urlsplit(address).path)).kwargs.get("run_id")


def test_every_address_on_the_pages_of_a_run_leads_to_it_whatever_its_id(client: Client) -> None:
    walked = {page: addresses_in(client.get(page)) for page in pages()}
    assert len(walked) > 25 and sum(map(len, walked.values())) > 200
    wrong = [(page, address) for page, found in walked.items() for address in found if run_of(address) != RUN_ID]
    assert wrong == []


def test_filters_that_a_form_sent_lead_to_the_same_list_whatever_the_id_of_the_run(client: Client) -> None:
    answer = client.get(reverse("run_events", args=["a", RUN_ID]), {"event": "", "limit": "10"})
    assert answer.status_code == 302 and client.get(answer["Location"]).status_code == 200


def test_a_form_does_not_lead_back_to_itself_whatever_the_id_of_the_run(client: Client) -> None:
    form = reverse("run_note", args=["a", RUN_ID])
    answer = client.post(form, {"note": "n", "next": form})
    assert answer.status_code == 302 and answer["Location"] != form
