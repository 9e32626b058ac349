"""Decides what the REST tests share: a client that is signed in as an admin, and comparison with the recorded shapes."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.tokens import token_for
from orchestrator.config import conf
from tests.oracle import oracle_json

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(db: None) -> User:
    """Somebody who does not log in: to hash a password takes longer than most of these tests."""
    return User.objects.create_superuser("admin")


@pytest.fixture
def client(admin: User) -> Client:
    return Client(headers={"Authorization": f"Bearer {token_for(admin, lifetime_seconds=60)}"})


@pytest.fixture
def open_access(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS", "True")
    conf.reload()
    yield
    monkeypatch.undo()
    conf.reload()


@pytest.fixture(scope="session")
def shapes() -> dict[str, Any]:
    return oracle_json("rest_shapes_golden.json")


@pytest.fixture
def fits_schema() -> Callable[[str, dict[str, Any]], None]:
    """Fail unless a body has exactly the fields of a schema of the recorded contract."""
    schemas = oracle_json("rest_contract.json")["schemas"]

    def check(name: str, body: dict[str, Any]) -> None:
        fields = schemas[name]["fields"]
        assert set(body) <= set(fields), f"{name} has no {sorted(set(body) - set(fields))}"
        missing = {field for field, facts in fields.items() if facts.get("required")} - set(body)
        assert not missing, f"{name} lacks {sorted(missing)}"
        wrong = [f for f, facts in fields.items() if body.get(f) is None and f in body and not _may_be_null(facts)]
        assert not wrong, f"{name} must not have null in {wrong}"

    return check


def _may_be_null(facts: dict[str, Any]) -> bool:
    return facts["type"] == "any" or "null" in facts["type"].split(" | ")
