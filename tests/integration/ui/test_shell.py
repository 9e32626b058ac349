"""The shell: each place that the sidebar shows somebody is one that he may open, with an icon, for every role (UI)."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import DagRule, SavedView, User
from accounts.roles import GROUPS, Role
from dags_app.models import Dag, ParseImportError
from orchestrator.config import conf
from orchestrator.ui.layout import GROUPS as PLACES
from orchestrator.version import VERSION
from runs.models import HITLDetail
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.ui.costs import queries_of
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _exposed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AIRFLOW__API__EXPOSE_CONFIG", "True")
    conf.reload()
    yield
    monkeypatch.undo()
    conf.reload()


def side_of(client: Client) -> str:
    text = client.get("/settings").content.decode()
    return text[text.index('class="side"') : text.index('class="thumbs"')]


def ask(dag: Dag, run_id: str) -> None:
    ti = make_ti(make_run(dag, run_id), "t", state="awaiting_input")
    HITLDetail.objects.create(ti_id=ti.pk, dag_run=ti.dag_run, task_id="t", subject="?", options=["a"], created_at=NOON)


def badges(client: Client, path: str = "/settings", *, status: int = 200) -> list[str]:
    """The numbers of the sidebar: questions, then import errors."""
    answer = client.get(path)
    assert answer.status_code == status
    return re.findall(r'<span class="badge">(\d+)</span></a></li>', answer.content.decode())


@pytest.mark.parametrize("role", [*GROUPS])
def test_c07a_around_a_page_two_things_are_asked_session_and_user_who_brings_the_numbers_of_the_sidebar(role: str) -> None:
    client = client_of(role)
    assert queries_of(client, "/providers") == 2


def test_c07a_rules_cost_around_a_page_two_queries_themselves_and_the_numbers_of_what_they_leave() -> None:
    client = client_of("Viewer", name="vic")
    for dag_id in ("mine", "theirs"):
        ask(make_dag(dag_id), dag_id)
        ParseImportError.objects.create(bundle_id="dags-folder", filename=f"{dag_id}.py", stacktrace="x", timestamp=NOON)
    assert badges(client) == ["2", "2"]
    DagRule.objects.create(user=User.objects.get(username="vic"), dag_id="mine", role=Role.VIEWER)
    assert badges(client) == badges(client, "/connections", status=403) == ["1", "1"]
    assert badges(client_of("Admin")) == ["2", "2"]
    assert queries_of(client, "/providers") == 4


@pytest.mark.parametrize(
    ("path", "header"),
    [("/api/v2/dags", ""), ("/live?topic=runs", "X-Requested-With"), ("/admin/", ""), ("/providers", "HX-Request")],
)
def test_the_numbers_of_the_sidebar_are_not_asked_for_what_has_none(path: str, header: str) -> None:
    client = client_of("Admin")
    User.objects.update(is_staff=True)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(path, headers={header: "true"} if header else {}).status_code in (200, 204)
    assert not [query for query in asked if "hitldetail" in query["sql"]]


@pytest.mark.parametrize("role", [*GROUPS])
def test_every_place_that_is_shown_may_be_opened(role: str) -> None:
    client = client_of(role)
    links = re.findall(r'<li><a href="([^"]+)"', side_of(client))
    assert [(link, status) for link in links if (status := client.get(link, follow=True).status_code) != 200] == []
    assert "/jobs" in links and ("/connections" in links) == (role in ("Op", "Admin"))


def test_every_place_has_an_icon_that_is_there() -> None:
    sprite = (Path(settings.BASE_DIR) / "static" / "vendor" / "icons.svg").read_text()
    icons = {place.icon for _, group in PLACES for place in group}
    assert {icon for icon in icons if f'id="{icon}"' not in sprite} == set()


def test_the_foot_names_the_version_the_api_and_the_keys() -> None:
    side = side_of(client_of("Viewer"))
    assert VERSION in side and 'href="/docs"' in side and 'href="/settings#shortcuts"' in side


def test_what_waits_for_people_is_counted_in_both_bars() -> None:
    ask(make_dag("etl"), "r")
    text = client_of("Viewer").get("/settings").content.decode()
    assert '<span class="badge">1</span>' in text and '<span class="badge">1<span class="hidden"> wait</span></span>' in text


@pytest.mark.parametrize(
    "target", ["http://[", "home", "https://evil.example/", "//evil.example", "//[", "javascript:alert(1)", "", "?x"]
)
def test_a_form_leads_nowhere_else_whatever_it_says_is_next(target: str) -> None:
    make_dag("etl")
    client = client_of("User")
    view = {"page": "runs", "name": "mine", "next": target}
    assert client.post("/views/save", view).headers["Location"] == "/"
    assert client.post(f"/views/{SavedView.objects.get().pk}/delete", view).headers["Location"] == "/"
    assert client.post("/dags/etl/pause", {"is_paused": "true", "next": target}).headers["Location"] == "/dags"
    assert client.post("/settings/columns", {"list": "x", "next": target}).headers["Location"] == "/"
