"""The settings: looks and time zone by a plain form, tokens that are shown once (C13-d, C24-d, C30-e)."""

import re
from datetime import UTC, datetime

import pytest
from django.test import Client

from accounts.models import ApiToken, AuditLog, User
from accounts.named_tokens import user_of_api_token
from dags_app.models import ParseImportError
from orchestrator.config import conf
from tests.factories import make_dag
from tests.integration.ui.costs import queries_of
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return client_of("User", name="ann")


def make_token(client: Client, **changed: str) -> str:
    data = {"name": "nightly", "role": "User", "expires": "30"} | changed
    page = client.post("/settings/tokens", data)
    found = re.search(r'id="token-text">(oat_[\w-]+)<', page.content.decode())
    assert found, page.content.decode()
    return found[1]


def test_a_plain_form_keeps_every_choice_and_the_page_shows_it(client: Client) -> None:
    chosen = {
        "theme": "dark",
        "colours": "contrast",
        "density": "cosy",
        "sidebar": "closed",
        "timezone": "Asia/Tokyo",
        "runs": "50",
    }
    assert client.post("/settings/preferences", chosen)["Location"] == "/settings"
    text = client.get("/settings").content.decode()
    assert 'data-theme="dark"' in text and 'data-density="cosy"' in text and "Your settings are saved" in text
    assert 'value="Asia/Tokyo" list="zones"' in text and "<option selected>50</option>" in text
    client.post("/settings/preferences", chosen | {"timezone": "Mars/Base"})
    assert "Mars/Base is no time zone" in client.get("/settings").content.decode()


def test_the_chosen_time_zone_is_that_of_the_times_on_other_pages(client: Client) -> None:
    dag = make_dag("d")
    moment = datetime(2026, 1, 5, 12, tzinfo=UTC)
    ParseImportError.objects.create(bundle=dag.bundle, filename="x.py", timestamp=moment, stacktrace="x")
    assert "2026-01-05 12:00:00 UTC" in client.get("/import_errors").content.decode()
    client.post("/settings/preferences", {"timezone": "Asia/Tokyo"})
    assert "2026-01-05 21:00:00 JST" in client.get("/import_errors").content.decode()


def test_a_token_is_shown_once_works_and_is_audited(client: Client) -> None:
    text = make_token(client)
    owner = user_of_api_token(text)
    assert owner is not None and owner.username == "ann"
    page = client.get("/settings").content.decode()
    assert text not in page and text[:10] in page
    row = AuditLog.objects.get(event="create_api_token")
    assert row.owner == "ann" and text not in (row.extra or "")
    assert "no-store" in client.post("/settings/tokens", {"name": "b", "role": "User", "expires": "never"})["Cache-Control"]


def test_a_token_that_cannot_be_made_is_refused_with_words(client: Client) -> None:
    make_token(client)
    for changed, words in (
        ({}, "has a token named &#x27;nightly&#x27; already"),
        ({"name": "other", "role": "Admin"}, "choose a lower role"),
        ({"name": " "}, "needs a name"),
        ({"name": "other", "expires": "later"}, "Choose when the token ends"),
        ({"name": "other", "role": "King"}, "Choose the role"),
    ):
        page = client.post("/settings/tokens", {"name": "nightly", "role": "User", "expires": "30"} | changed)
        assert (page.status_code, words in page.content.decode()) == (422, True), words
    assert ApiToken.objects.count() == 1


def test_a_token_is_revoked_by_its_owner_alone(client: Client) -> None:
    text = make_token(client)
    row = ApiToken.objects.get()
    other = client_of("Admin", name="bob")
    assert other.post(f"/settings/tokens/{row.pk}/revoke").status_code == 404
    assert client.post(f"/settings/tokens/{row.pk}/revoke")["Location"] == "/settings"
    assert user_of_api_token(text) is None
    assert AuditLog.objects.get(event="revoke_api_token").owner == "ann"
    assert "revoked" in client.get("/settings").content.decode()


def test_a_token_makes_no_other_token(client: Client) -> None:
    text = make_token(client)
    page = Client(headers={"Authorization": f"Bearer {text}"}).post(
        "/settings/tokens", {"name": "b", "role": "User", "expires": "never"}
    )
    assert page.status_code != 200 and ApiToken.objects.count() == 1


def test_the_page_costs_the_same_however_many_tokens_there_are(client: Client) -> None:
    make_token(client)
    first = queries_of(client, "/settings")
    for number in range(5):
        make_token(client, name=f"t{number}")
    assert queries_of(client, "/settings") == first <= 7
    assert client_of("Viewer").get("/settings").status_code == 200
    assert User.objects.get(username="ann").preferences == {}


def test_under_open_access_the_page_says_that_tokens_need_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS", "True")
    conf.reload()
    client = Client()
    assert "Tokens belong to people" in client.get("/settings").content.decode()
    assert client.post("/settings/tokens", {"name": "b", "role": "User", "expires": "never"}).status_code == 422
    monkeypatch.undo()
    conf.reload()
