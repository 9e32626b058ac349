"""Logins and passwords: failures make one wait, and a new password ends what the old one gave."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from accounts import throttle
from accounts.models import AuditLog, LoginFailure, User
from accounts.tokens import token_for

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-password"


@pytest.fixture
def ulf() -> User:
    user = User.objects.create_user("ulf", password=PASSWORD)
    user.groups.add(Group.objects.get_or_create(name="User")[0])
    return user


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "LIMITS", {"name_at_address": 2, "address": 4, "name": 50})


def login(name: str, password: str, address: str = "10.0.0.1") -> Any:
    body = json.dumps({"username": name, "password": password})
    return Client(REMOTE_ADDR=address).post("/auth/token", body, content_type="application/json")


def test_failures_of_a_name_at_an_address_make_it_wait_and_nobody_else(ulf: User, few: None) -> None:
    assert [login("ulf", "wrong").status_code for _ in range(3)] == [401, 401, 429]
    refused = login("ulf", PASSWORD)
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= throttle.WINDOW.total_seconds()
    assert login("ulf", PASSWORD, "10.0.0.2").status_code == 201
    LoginFailure.objects.update(since=timezone.now() - throttle.WINDOW - timedelta(seconds=1))
    assert login("ulf", PASSWORD).status_code == 201


def test_many_names_from_one_address_make_the_address_wait(ulf: User, few: None) -> None:
    assert [login(f"name{number}", "x").status_code for number in range(5)] == [401] * 4 + [429]
    assert login("ulf", PASSWORD).status_code == 429


def test_a_good_login_forgets_the_failures(ulf: User, few: None) -> None:
    answers = [login("ulf", word).status_code for word in ("x", PASSWORD, "x", PASSWORD)]
    assert answers == [401, 201, 401, 201]


def test_the_login_page_says_how_long_to_wait(ulf: User, few: None) -> None:
    client = Client()
    for _ in range(2):
        assert client.post("/auth/login/", {"username": "ulf", "password": "x"}).status_code == 200
    page = client.post("/auth/login/", {"username": "ulf", "password": PASSWORD})
    assert page.status_code == 429
    assert b"Too many failed logins" in page.content


def test_a_new_password_ends_signed_tokens_and_other_sessions(ulf: User) -> None:
    User.objects.update(tokens_valid_from=None)
    token = token_for(ulf, lifetime_seconds=600)
    here, elsewhere = Client(), Client()
    here.force_login(ulf)
    elsewhere.force_login(ulf)
    words = {"old_password": PASSWORD, "new_password1": "another-word-0", "new_password2": "another-word-0"}
    assert here.get("/auth/password/").status_code == 200
    assert here.post("/auth/password/", words).status_code == 302
    User.objects.update(tokens_valid_from=timezone.now() + timedelta(seconds=1))
    assert Client(headers={"Authorization": f"Bearer {token}"}).get("/api/v2/dags").status_code == 403
    assert [here.get("/api/v2/dags").status_code, elsewhere.get("/api/v2/dags").status_code] == [200, 401]
    assert AuditLog.objects.get().event == "change_password"


def test_the_api_changes_a_password_for_the_old_one_only(ulf: User) -> None:
    client = Client(headers={"Authorization": f"Bearer {token_for(ulf, lifetime_seconds=600)}"})

    def change(old: str, new: str) -> int:
        body = json.dumps({"old_password": old, "new_password": new})
        return client.post("/api/v2/auth/password", body, content_type="application/json").status_code

    assert change("wrong", "another-word-0") == 403
    assert change(PASSWORD, "short") == 422
    assert change(PASSWORD, "another-word-0") == 204
    user = User.objects.get()
    assert user.check_password("another-word-0")
    assert user.tokens_valid_from is not None


def test_a_request_id_is_taken_from_the_client_or_made_and_noted_with_the_reason(ulf: User) -> None:
    client = Client(headers={"Authorization": f"Bearer {token_for(ulf, lifetime_seconds=600)}"})
    headers = {"X-Request-ID": "req-7", "X-Audit-Reason": "rotation"}
    body = json.dumps({"old_password": PASSWORD, "new_password": "another-word-0"})
    answer = client.post("/api/v2/auth/password", body, content_type="application/json", headers=headers)
    row = AuditLog.objects.get()
    assert (answer["X-Request-ID"], row.request_id, row.reason, row.owner) == ("req-7", "req-7", "rotation", "ulf")
    made = [Client().get("/api/v2/version", headers={"X-Request-ID": given})["X-Request-ID"] for given in ("", "x" * 65)]
    assert all(len(request_id) == 32 for request_id in made)
