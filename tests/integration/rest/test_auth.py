"""Who may ask what: tokens, sessions, roles and open access, against the recorded answers."""

import json
from typing import Any

import jwt
import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import User
from accounts.tokens import token_for
from tests.factories import make_dag, make_run
from tests.oracle import oracle_json

GOLDEN: dict[str, Any] = oracle_json("auth_golden.json")
PASSWORD = "a-long-password"


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_superuser("admin", password=PASSWORD)


def _login(client: Client, body: dict[str, Any], path: str = "/auth/token") -> Any:
    return client.post(path, json.dumps(body), content_type="application/json")


@pytest.mark.parametrize(
    ("name", "path", "body"),
    [
        ("wrong password", "/auth/token", {"username": "admin", "password": "x"}),
        ("unknown user", "/auth/token", {"username": "nobody", "password": "x"}),
        ("empty body", "/auth/token", {}),
        ("missing password", "/auth/token", {"username": "admin"}),
        ("cli wrong", "/auth/token/cli", {"username": "admin", "password": "x"}),
        ("extra field", "/auth/token", {"username": "admin", "password": PASSWORD, "x": 1}),
    ],
)
def test_a_refused_login_is_the_recorded_one(admin: User, name: str, path: str, body: dict[str, Any]) -> None:
    answer = _login(Client(), body, path)
    assert (answer.status_code, answer.json()) == (GOLDEN["login"][name]["status"], GOLDEN["login"][name]["body"])


def test_a_token_has_the_recorded_claims_and_life(admin: User) -> None:
    for path, name in (("/auth/token", "claims admin"), ("/auth/token/cli", "POST /auth/token/cli")):
        answer = _login(Client(), {"username": "admin", "password": PASSWORD}, path)
        assert answer.status_code == 201
        claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
        recorded = GOLDEN["login"][name]
        assert claims["exp"] - claims["iat"] == recorded["lifetime"]
        assert set(claims) == set(recorded["claims"])
        assert [claims[k] for k in ("sub", "role", "aud", "teams")] == ["admin", "admin", "apache-airflow", []]


def test_get_token_is_refused_without_open_access(db: None) -> None:
    for path in ("/auth/token", "/auth/token/login"):
        answer = Client().get(path)
        recorded = GOLDEN["login"][f"GET {path}"]
        assert (answer.status_code, answer.json()) == (recorded["status"], recorded["body"])


def test_open_access_needs_no_token_and_gives_one(db: None, open_access: None) -> None:
    assert Client().get("/api/v2/dags").status_code == 200
    answer = Client().get("/auth/token")
    assert answer.status_code == 201
    bearer = Client(headers={"Authorization": f"Bearer {answer.json()['access_token']}"})
    assert bearer.get("/api/v2/dags").status_code == 200


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("garbage", "Bearer garbage"),
        ("basic", "Basic YWRtaW46YWRtaW4="),
        ("empty", "Bearer "),
        ("unsigned", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."),
    ],
)
def test_a_bad_token_is_403_and_none_is_401(admin: User, name: str, header: str) -> None:
    answer = Client(headers={"Authorization": header}).get("/api/v2/dags")
    assert (answer.status_code, answer.json()) == (GOLDEN["bad_token"][name]["status"], GOLDEN["bad_token"][name]["body"])


def test_a_token_in_the_cookie_reads_and_does_not_write(admin: User) -> None:
    make_dag("d")
    client = Client()
    client.cookies["_token"] = token_for(admin, lifetime_seconds=60)
    assert client.get("/api/v2/dags").status_code == 200
    assert client.patch("/api/v2/dags/d", '{"is_paused": true}', content_type="application/json").status_code == 401


def test_a_token_of_a_user_who_was_disabled_is_refused(admin: User) -> None:
    client = Client(headers={"Authorization": f"Bearer {token_for(admin, lifetime_seconds=60)}"})
    User.objects.update(is_active=False)
    assert client.get("/api/v2/dags").status_code == 403


def test_a_session_reads_and_writes_only_with_the_csrf_token(admin: User) -> None:
    make_dag("d")
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)
    assert client.get("/api/v2/dags").status_code == 200
    assert client.patch("/api/v2/dags/d", '{"is_paused": true}', content_type="application/json").status_code == 403


_ROLES = {"vic": "Viewer", "ulf": "User", "otto": "Op"}
_UI = "/ui/"
# What a body with the recorded rows would change; here it is only asked who may.
_BODIES = {"PATCH": '{"is_paused": true}', "POST": "{}"}


@pytest.mark.parametrize("key", [key for key in GOLDEN["roles"] if _UI not in key and "/connections/test" not in key])
def test_each_role_may_do_what_was_recorded(admin: User, key: str) -> None:
    make_run(make_dag("example_xcom"), "golden_1")
    make_dag("example_simplest_dag")
    method, path = key.split(" ", 1)
    body = _BODIES.get(method, "")
    assert Client().generic(method, path, body, content_type="application/json").status_code == GOLDEN["no_token"][key]["status"]
    for name, group in _ROLES.items():
        user = User.objects.create_user(name)
        user.groups.add(Group.objects.get_or_create(name=group)[0])
        client = Client(headers={"Authorization": f"Bearer {token_for(user, lifetime_seconds=60)}"})
        answer = client.generic(method, path, body, content_type="application/json")
        wanted = GOLDEN["roles"][key][name]
        # The recorded run has rows that this one has not; who may ask is the same.
        assert (answer.status_code == 403) == (wanted == 403), (name, answer.content)
