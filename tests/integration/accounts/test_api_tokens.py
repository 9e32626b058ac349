"""API tokens (C30-e): made once, limited to a role, expiring, revocable, hashed, their use noted."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import ApiToken, AuditLog, DagRule, User
from accounts.named_tokens import TokenRefusedError, token_create
from accounts.roles import Role
from accounts.tokens import token_for
from orchestrator.kernel.clock import utcnow
from tests.factories import make_dag

pytestmark = pytest.mark.django_db


def person(name: str, group: str) -> User:
    user = User.objects.create_user(name)
    user.groups.add(Group.objects.get_or_create(name=group)[0])
    return user


def bearer(text: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {text}"})


def signed(user: User) -> Client:
    return bearer(token_for(user, lifetime_seconds=60))


def make(client: Client, **body: Any) -> Any:
    return client.post("/api/v2/tokens", json.dumps(body), content_type="application/json")


def pause(client: Client) -> int:
    return client.patch("/api/v2/dags/d", '{"is_paused": true}', content_type="application/json").status_code


def test_a_token_is_shown_once_kept_as_a_hash_and_acts_as_its_owner() -> None:
    make_dag("d")
    answer = make(signed(person("ulf", "User")), name="ci")
    assert answer.status_code == 201
    text = answer.json()["token"]
    row = ApiToken.objects.get()
    assert text not in json.dumps([str(value) for value in vars(row).values()])
    assert text.startswith(row.hint)
    assert pause(bearer(text)) == 200
    assert "token" not in bearer(text).get("/api/v2/tokens").json()["tokens"][0]
    log = AuditLog.objects.get(dag_id="d")
    assert (log.owner, log.token_name) == ("ulf", "ci")


def test_a_token_does_no_more_than_its_role_even_where_its_owner_may() -> None:
    make_dag("d")
    owner = person("otto", "Op")
    _, text = token_create(owner, "read", Role.VIEWER, None)
    assert bearer(text).get("/api/v2/dags/d").status_code == 200
    assert pause(bearer(text)) == 403
    DagRule.objects.create(user=owner, role=Role.USER)
    assert pause(bearer(text)) == 403, "a rule does not lift the limit"


def test_a_token_loses_what_its_owner_loses() -> None:
    make_dag("d")
    owner = person("ulf", "User")
    _, text = token_create(owner, "ci", Role.USER, None)
    owner.groups.set([Group.objects.get_or_create(name="Viewer")[0]])
    assert pause(bearer(text)) == 403
    User.objects.update(is_active=False)
    assert bearer(text).get("/api/v2/dags").status_code == 403


def test_a_token_above_the_owners_role_is_refused() -> None:
    assert make(signed(person("vic", "Viewer")), name="x", role="Admin").status_code == 422
    with pytest.raises(TokenRefusedError, match="past"):
        token_create(User.objects.get(), "x", Role.VIEWER, utcnow() - timedelta(seconds=1))


def test_an_expired_or_revoked_token_is_refused() -> None:
    owner = person("vic", "Viewer")
    row, text = token_create(owner, "ci", Role.VIEWER, utcnow() + timedelta(hours=1))
    assert bearer(text).get("/api/v2/dags").status_code == 200
    ApiToken.objects.update(expires_at=utcnow() - timedelta(seconds=1))
    assert bearer(text).get("/api/v2/dags").status_code == 403
    ApiToken.objects.update(expires_at=None)
    client = signed(owner)
    assert [client.delete(f"/api/v2/tokens/{row.pk}").status_code for _ in range(2)] == [204, 204]
    assert bearer(text).get("/api/v2/dags").status_code == 403
    assert AuditLog.objects.filter(event="revoke_api_token").count() == 1
    assert make(client, name="ci").status_code == 201, "the name is free again"
    assert make(client, name="ci").status_code == 409


def test_a_use_is_noted_at_most_once_a_minute() -> None:
    _, text = token_create(person("vic", "Viewer"), "ci", Role.VIEWER, None)
    bearer(text).get("/api/v2/dags")
    first = ApiToken.objects.get().last_used_at
    bearer(text).get("/api/v2/dags")
    assert first is not None
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(seconds=61))
    bearer(text).get("/api/v2/dags")
    assert ApiToken.objects.get().last_used_at >= first


def test_a_token_makes_no_token_and_changes_no_password() -> None:
    _, text = token_create(person("boss", "Admin"), "ci", Role.ADMIN, None)
    assert make(bearer(text), name="more").status_code == 403
    body = json.dumps({"old_password": "x", "new_password": "y"})
    assert bearer(text).post("/api/v2/auth/password", body, content_type="application/json").status_code == 403


def test_nobody_sees_or_ends_the_tokens_of_others_but_an_admin() -> None:
    row, _ = token_create(person("ulf", "User"), "ci", Role.USER, None)
    other = signed(person("otto", "Op"))
    assert other.get("/api/v2/tokens").json()["tokens"] == []
    assert other.delete(f"/api/v2/tokens/{row.pk}").status_code == 404
    assert make(other, name="x", user_name="ulf").status_code == 403
    boss = signed(person("boss", "Admin"))
    assert boss.get("/api/v2/tokens?user_name=ulf").json()["total_entries"] == 1
    assert make(boss, name="x", user_name="ulf").json()["user_name"] == "ulf"
    assert boss.delete(f"/api/v2/tokens/{row.pk}").status_code == 204
