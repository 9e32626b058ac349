"""What a page of another origin may do: ``[api] access_control_allow_*`` mean what they mean to Airflow 3.3.2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from orchestrator.config import conf

PATH = "/api/v2/version"
FRIEND, STRANGER = "https://o.example", "https://bad.example"
ASKS = {"Origin": FRIEND, "Access-Control-Request-Method": "GET"}


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AIRFLOW__API__ACCESS_CONTROL_ALLOW_ORIGINS", f"{FRIEND}, https://p.example")
    monkeypatch.setenv("AIRFLOW__API__ACCESS_CONTROL_ALLOW_METHODS", "GET, POST")
    monkeypatch.setenv("AIRFLOW__API__ACCESS_CONTROL_ALLOW_HEADERS", "x-one")
    conf.reload()
    yield
    monkeypatch.undo()
    conf.reload()


def test_without_the_options_no_answer_is_for_another_origin(client: Client) -> None:
    answer = client.get(PATH, headers={"Origin": FRIEND})
    assert not [name for name in answer.headers if name.startswith("Access-Control")]
    assert client.options(PATH, headers=ASKS).status_code == 405


def test_a_page_of_a_listed_origin_may_read_an_answer(client: Client, allowed: None) -> None:
    answer = client.get(PATH, headers={"Origin": FRIEND})
    assert (answer["Access-Control-Allow-Origin"], answer["Access-Control-Allow-Credentials"]) == (FRIEND, "true")
    assert "Origin" in answer["Vary"]
    assert "Access-Control-Allow-Origin" not in client.get(PATH, headers={"Origin": STRANGER})
    assert "Access-Control-Allow-Credentials" not in client.get(PATH)


@pytest.mark.parametrize(
    ("headers", "status", "text"),
    [
        ({}, 200, "OK"),
        ({"Access-Control-Request-Method": "DELETE"}, 400, "Disallowed CORS method"),
        ({"Origin": STRANGER}, 400, "Disallowed CORS origin"),
        ({"Access-Control-Request-Headers": "content-type, X-One"}, 200, "OK"),
        ({"Origin": STRANGER, "Access-Control-Request-Headers": "x-two"}, 400, "Disallowed CORS origin, headers"),
    ],
)
def test_a_browser_that_asks_first_is_told_what_is_allowed(
    client: Client, allowed: None, headers: dict[str, str], status: int, text: str
) -> None:
    answer = client.options("/api/v2/dags", headers=ASKS | headers)
    assert (answer.status_code, answer.content.decode()) == (status, text)
    assert (answer["Access-Control-Allow-Methods"], answer["Access-Control-Max-Age"]) == ("GET, POST", "600")
    assert answer["Access-Control-Allow-Headers"] == "Accept, Accept-Language, Content-Language, Content-Type, x-one"


def test_all_methods_and_headers_may_be_allowed_but_never_all_origins(client: Client, monkeypatch: Any) -> None:
    for name in ("ORIGINS", "METHODS", "HEADERS"):
        monkeypatch.setenv(f"AIRFLOW__API__ACCESS_CONTROL_ALLOW_{name}", "*")
    conf.reload()
    try:
        answer = client.options(PATH, headers=ASKS | {"Access-Control-Request-Headers": "x-any"})
    finally:
        monkeypatch.undo()
        conf.reload()
    assert (answer.status_code, answer.content) == (400, b"Disallowed CORS origin")
    assert answer["Access-Control-Allow-Headers"] == "x-any"


def test_pages_are_for_our_own_origin(client: Client, allowed: None) -> None:
    assert "Access-Control-Allow-Origin" not in client.get("/auth/login/", headers={"Origin": FRIEND})
