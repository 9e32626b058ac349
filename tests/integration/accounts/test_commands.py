"""The commands ``users`` and ``tokens``, with Airflow's words (C30-e)."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from accounts.models import ApiToken, AuditLog, User
from accounts.roles import Role, role_of
from accounts.user_changes import roles_of

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue().strip()


def create(name: str = "ann", role: str = "Op") -> None:
    words = ["-f", "Ann", "-l", "Lee", "-e", f"{name}@example.com", "-r", role, "-p", "a-long-password"]
    run("users", "create", "-u", name, *words)


def test_a_user_is_made_with_a_role_and_can_sign_in() -> None:
    create()
    user = User.objects.get()
    assert (role_of(user), user.email, user.first_name, user.is_staff) == (Role.OP, "ann@example.com", "Ann", False)
    assert authenticate(username="ann", password="a-long-password") == user
    assert "a-long-password" not in json.dumps(list(AuditLog.objects.values("extra")))
    with pytest.raises(CommandError, match="exists already"):
        create()
    with pytest.raises(CommandError, match=r"no role 'King'.*Viewer"):
        create("bob", "King")


def test_roles_are_given_and_taken_and_each_real_change_is_audited() -> None:
    create()
    run("users", "add-role", "-u", "ann", "-r", "Admin")
    assert (roles_of(User.objects.get()), User.objects.get().is_staff) == (["Admin", "Op"], True)
    with pytest.raises(CommandError, match="already"):
        run("users", "add-role", "-e", "ANN@example.com", "-r", "Admin")
    run("users", "remove-role", "-u", "ann", "-r", "Admin")
    assert (roles_of(User.objects.get()), User.objects.get().is_staff) == (["Op"], False)
    row = AuditLog.objects.get(event="remove_user_role")
    assert (row.before, row.after) == ({"roles": ["Admin", "Op"]}, {"roles": ["Op"]})
    assert AuditLog.objects.count() == 3


def test_a_superuser_who_loses_admin_is_none_any_more() -> None:
    User.objects.create_superuser("boss", password="x")
    run("users", "remove-role", "-u", "boss", "-r", "admin")
    assert role_of(User.objects.get()) is None


@pytest.mark.parametrize("output", ["table", "json", "yaml", "plain"])
def test_users_are_listed_in_each_format(output: str) -> None:
    create()
    text = run("users", "list", "-o", output)
    assert "ann@example.com" in text
    assert output != "json" or json.loads(text)[0]["roles"] == ["Op"]


def test_an_export_is_imported_again_and_brings_users_in_step(tmp_path: Path) -> None:
    create()
    file = tmp_path / "users.json"
    run("users", "export", str(file))
    run("users", "delete", "-u", "ann")
    assert run("users", "import", str(file)).startswith("1 users created, 0")
    assert roles_of(User.objects.get()) == ["Op"]
    entries = json.loads(file.read_text())
    entries[0]["roles"] = ["Viewer"]
    file.write_text(json.dumps(entries))
    assert run("users", "import", str(file)).startswith("0 users created, 1")
    assert roles_of(User.objects.get()) == ["Viewer"]
    file.write_text('[{"username": "x"}]')
    with pytest.raises(CommandError, match="needs username and a list of roles"):
        run("users", "import", str(file))


def test_a_password_is_reset() -> None:
    create()
    run("users", "reset-password", "-u", "ann", "-p", "another-word-0")
    assert authenticate(username="ann", password="another-word-0") is not None
    with pytest.raises(CommandError, match="no user 'bob'"):
        run("users", "delete", "-u", "bob")


def test_a_service_gets_a_token_and_no_password() -> None:
    text = run("tokens", "create", "-n", "ci", "-r", "User", "--service", "deployer", "--expires-in-days", "30")
    user = User.objects.get()
    assert (role_of(user), user.has_usable_password()) == (Role.USER, False)
    client = Client(headers={"Authorization": f"Bearer {text}"})
    assert client.get("/api/v2/dags").status_code == 200
    assert "deployer" in run("tokens", "list")
    run("tokens", "revoke", str(ApiToken.objects.get().pk))
    assert client.get("/api/v2/dags").status_code == 403
    with pytest.raises(CommandError, match="choose a lower role"):
        run("tokens", "create", "-n", "up", "-r", "Admin", "-u", "deployer")
