"""The first admin and the audit log."""

import json

import pytest
from django.contrib.auth import authenticate

from accounts.models import AuditLog, User
from accounts.services import audit_write, user_ensure_admin

pytestmark = pytest.mark.django_db


def test_the_first_admin_gets_a_password_that_is_told_once() -> None:
    user, password = user_ensure_admin()
    assert password is not None
    assert authenticate(username="admin", password=password) == user
    assert password not in User.objects.get().password
    assert user_ensure_admin() == (user, None)


def test_an_existing_superuser_of_another_name_is_enough() -> None:
    boss = User.objects.create_superuser("boss", password="x")
    assert user_ensure_admin() == (boss, None)


def test_the_audit_log_masks_secrets_at_any_depth() -> None:
    audit_write("post_connection", actor="a", extra={"password": "x", "list": [{"api_key": "y", "host": "h"}]}, dag_id="d")
    row = AuditLog.objects.get()
    assert json.loads(row.extra or "") == {"password": "***", "list": [{"api_key": "***", "host": "h"}]}
    assert (row.owner, row.dag_id) == ("a", "d")
