"""Users, roles, rules and tokens in the admin: every change is audited, tokens are only revoked."""

from itertools import pairwise

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from accounts.models import ApiToken, AuditLog, DagRule, User
from accounts.named_tokens import token_create
from accounts.roles import GROUPS, Role
from tests.integration.accounts.world import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss")


@pytest.fixture
def browser(boss: User) -> Client:
    client = Client()
    client.force_login(boss)
    return client


@pytest.mark.parametrize("path", ["user", "dagrule", "apitoken", "auditlog", "user/add", "dagrule/add"])
def test_every_page_opens(browser: Client, path: str) -> None:
    assert browser.get(f"/admin/accounts/{path}/").status_code == 200
    assert browser.get("/admin/auth/group/").status_code == 200


def test_a_rule_is_made_changed_and_deleted_with_a_row_each(browser: Client) -> None:
    group = Group.objects.get_or_create(name="team")[0]
    form = {"group": group.pk, "user": "", "dag_id": "a*", "tag": "", "owner": "", "bundle": "", "role": 1}
    assert browser.post("/admin/accounts/dagrule/add/", form).status_code == 302
    rule = DagRule.objects.get()
    path = f"/admin/accounts/dagrule/{rule.pk}"
    browser.post(f"{path}/change/", form)
    assert AuditLog.objects.count() == 1, "nothing changed the second time"
    browser.post(f"{path}/change/", form | {"dag_id": "b*"})
    row = AuditLog.objects.get(event="change_dag_rule")
    assert (row.before, row.after, row.owner) == ({"dag_id": "a*"}, {"dag_id": "b*"}, "boss")
    browser.post(f"{path}/delete/", {"post": "yes"})
    assert AuditLog.objects.filter(event="delete_dag_rule").count() == 1


def test_a_rule_for_nobody_or_for_two_is_refused(browser: Client, boss: User) -> None:
    form = {"group": "", "user": "", "dag_id": "a*", "tag": "", "owner": "", "bundle": "", "role": 1}
    group = Group.objects.get_or_create(name="team")[0]
    for subject in ({}, {"group": group.pk, "user": boss.pk}):
        page = browser.post("/admin/accounts/dagrule/add/", form | subject)
        assert (page.status_code, b"one of the two" in page.content) == (200, True)


def test_tokens_are_revoked_and_their_hash_is_nowhere(browser: Client) -> None:
    row, _ = token_create(person("ulf", "User"), "ci", Role.USER, None)
    assert row.token_hash.encode() not in browser.get(f"/admin/accounts/apitoken/{row.pk}/change/").content
    browser.post("/admin/accounts/apitoken/", {"action": "revoke", "_selected_action": [row.pk]})
    assert ApiToken.objects.get().revoked_at is not None
    assert AuditLog.objects.get().event == "revoke_api_token"


def test_a_password_changed_in_the_admin_is_noted_without_the_password(browser: Client) -> None:
    user = person("ulf", "User")
    words = {"password1": "another-word-0", "password2": "another-word-0", "usable_password": "true"}
    assert browser.post(f"/admin/accounts/user/{user.pk}/password/", words).status_code == 302
    assert b"another-word-0" not in repr(list(AuditLog.objects.values())).encode()
    assert AuditLog.objects.filter(event="change_user").count() == 1


def test_each_role_holds_the_permissions_of_the_one_before_and_more() -> None:
    held = [
        {
            f"{p.content_type.app_label}.{p.codename}"
            for p in Permission.objects.filter(group__name=name).select_related("content_type")
        }
        for name in GROUPS
    ]
    assert all(lower < higher for lower, higher in pairwise(held))
    viewer, user, op, admin = held
    assert "runs.view_dagrun" in viewer
    assert not [code for code in viewer if ".view_" not in code]
    assert "runs.change_dagrun" in user
    assert not [code for code in user if code.startswith("vault.")]
    assert {"vault.view_connection", "vault.change_variable", "runs.add_pool"} <= op
    assert not [code for code in op if code.startswith("accounts.change")]
    assert {"accounts.change_user", "accounts.add_dagrule"} <= admin
