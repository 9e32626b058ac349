"""The first admin and the audit log."""

import json
from pathlib import Path

import pytest
from django.contrib.auth import authenticate

from accounts.models import AuditLog, User
from accounts.services import audit_write
from orchestrator.standalone import users

pytestmark = pytest.mark.django_db


@pytest.fixture
def passwords(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "passwords.json"
    monkeypatch.setattr(users, "passwords_file", lambda: file)
    return file


def test_the_first_admin_gets_a_password_that_is_told_once(passwords: Path) -> None:
    (password,) = users.ensure_users().values()
    assert authenticate(username="admin", password=password) == User.objects.get()
    assert password not in User.objects.get().password
    assert json.loads(passwords.read_text()) == {"admin": password}
    assert passwords.stat().st_mode & 0o777 == 0o600
    assert users.ensure_users() == {}


def test_an_existing_superuser_of_another_name_is_enough(passwords: Path) -> None:
    boss = User.objects.create_superuser("boss", password="x")
    assert users.ensure_users() == {}
    assert User.objects.get() == boss
    assert not passwords.exists()


def test_the_audit_log_masks_secrets_at_any_depth() -> None:
    audit_write("post_connection", actor="a", extra={"password": "x", "list": [{"api_key": "y", "host": "h"}]}, dag_id="d")
    row = AuditLog.objects.get()
    assert json.loads(row.extra or "") == {"password": "***", "list": [{"api_key": "***", "host": "h"}]}
    assert (row.owner, row.dag_id) == ("a", "d")
