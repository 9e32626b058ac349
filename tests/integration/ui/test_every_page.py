"""Every page is walked as nobody, as each role, as a stranger to the DAG, and with names that nothing has (C30-a, UI)."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.roles import GROUPS
from tests.integration.accounts.world import HIDDEN, ask, fill, person, stranger
from tests.page_routes import Route, page_routes

pytestmark = pytest.mark.django_db

OPEN = {"login", "logout", "api_docs"}
# What somebody who may only look may send: what is his own.
OWN = {*OPEN, "password_change", "preferences_set", "columns_save", "view_save", "view_delete", "dag_favorite", "settings"}
OWN_PREFIX = ("settings", "token_")


@pytest.fixture
def routes() -> list[Route]:
    return page_routes(fill())


def _signed_in(name: str) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.get(username=name))
    return client


def test_nobody_sees_a_page_without_signing_in(routes: list[Route]) -> None:
    client = Client(raise_request_exception=False)
    wrong = []
    for route in routes:
        for method in ("GET", "POST"):
            answer = ask(client, method, route.path)
            is_sent_away = answer.status_code == 302 and answer["Location"].startswith("/auth/login/")
            if not is_sent_away and answer.status_code != 405 and route.name not in OPEN and not _is_address_only(answer):
                wrong.append((method, route, answer.status_code))
    assert wrong == []


def _is_address_only(answer: Any) -> bool:
    """An old address may lead to the present one before anybody signs in."""
    return answer.status_code in (301, 302) and HIDDEN.encode() not in answer.whole


@pytest.mark.parametrize("who", [*GROUPS])
def test_no_page_breaks_for_any_role(routes: list[Route], who: str) -> None:
    person("somebody", who)
    client = _signed_in("somebody")
    answers = [(route, ask(client, "GET", route.path).status_code) for route in routes]
    assert [(route, status) for route, status in answers if status >= 500] == []
    assert {route.name for route, status in answers if status == 200} >= {
        "home",
        "dag_list",
        "dag_detail",
        "run_detail",
        "log_detail",
    }


def test_nobody_changes_anything_who_may_only_look(routes: list[Route]) -> None:
    person("vic", "Viewer")
    client = _signed_in("vic")
    answers = [(route, ask(client, "POST", route.path).status_code) for route in routes if not _is_own(route)]
    assert [(route, status) for route, status in answers if status not in (403, 404, 405)] == []


def _is_own(route: Route) -> bool:
    return route.name in OWN or route.name.startswith(OWN_PREFIX)


def test_a_stranger_to_a_dag_reads_nothing_of_it_on_any_page(routes: list[Route]) -> None:
    stranger()
    client = _signed_in("stranger")
    told = []
    for route in routes:
        answer = ask(client, "GET", route.path)
        if route.of_dag and answer.status_code not in (404, 405):
            told.append((route, answer.status_code, b""))
        elif not route.of_dag and HIDDEN.encode() in answer.whole.replace(route.path.encode(), b""):
            told.append((route, answer.status_code, _around(answer.whole)))
    assert told == []


def _around(body: bytes) -> bytes:
    place = body.index(HIDDEN.encode())
    return body[max(0, place - 150) : place + 100]


def test_no_page_breaks_for_names_that_nothing_has(routes: list[Route]) -> None:
    person("boss", "Admin")
    client = _signed_in("boss")
    unknown = page_routes({})
    answers = [(route, ask(client, "GET", route.path).status_code) for route in unknown]
    assert [(route, status) for route, status in answers if status >= 500] == []
    assert [(route, status) for route, status in answers if route.of_dag and status not in (302, 404, 405)] == []


def test_what_the_stranger_misses_is_there_for_others(routes: list[Route]) -> None:
    """The walk would prove nothing with an empty world."""
    person("boss", "Admin")
    client = _signed_in("boss")
    telling = [route for route in routes if HIDDEN.encode() in ask(client, "GET", route.path).whole]
    assert len(telling) > len(routes) / 3


@pytest.mark.parametrize(
    "query", ["limit=x&page=99999999999", "offset=-1&state=nope", "order_by=nope&q=%00", "cursor=zzz&try=-7"]
)
def test_no_page_breaks_for_parameters_that_make_no_sense(routes: list[Route], query: str) -> None:
    person("boss", "Admin")
    client = _signed_in("boss")
    answers = [(route, ask(client, "GET", f"{route.path}?{query}").status_code) for route in routes]
    assert [(route, status) for route, status in answers if status >= 500] == []


def test_nul_in_an_address_names_nothing_and_in_a_field_is_refused(routes: list[Route]) -> None:
    """No database keeps it, and PostgreSQL does not even take it in a question."""
    person("boss", "Admin")
    client = _signed_in("boss")
    paths = [path for route in page_routes({}) if (path := route.path.replace("nope", "no%00pe")) != route.path]
    assert len(paths) > 40
    assert [path for path in paths if ask(client, "GET", path).status_code not in (404, 405)] == []
    forms = (f"/dags/{HIDDEN}/trigger", "/connections/add", "/variables/import", "/bulk/new", "/columns", "/auth/login/")
    assert [path for path in forms if client.post(path, {"asked": "1", "note": "a\x00b"}).status_code not in (400, 404)] == []
    assert client.get("/dags?q=%00").status_code == client.get("/?x%00=1").status_code == 400
    text = client.get("/api/v2/dags?dag_id_pattern=%00")
    assert text.status_code == 422 and text["Content-Type"].startswith("application/json")
