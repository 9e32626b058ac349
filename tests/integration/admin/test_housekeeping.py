"""Periodic jobs: when they were done and how they ended, ordered in the admin or by Celery beat, done once by the scheduler."""

import pytest
from cryptography.fernet import Fernet
from django.test import Client
from django.urls import reverse

from accounts.models import AuditLog, User
from orchestrator.config import conf
from orchestrator.processes.models import Housekeeping
from runs.housekeeping import PRUNE_HISTORY, ROTATE_KEYS, OrderRefusedError, order, order_taken
from runs.scheduler.prune_history import PruneHistory
from runs.scheduler.rotate_keys import RotateKeys
from tests.integration.accounts.world import person
from tests.waiting import wait_until
from vault.keys import key_id_of
from vault.models import Connection, Variable
from vault.rotation import counts

pytestmark = pytest.mark.django_db
LIST = "admin:processes_housekeeping_changelist"


def browser(name: str, role: str, staff: bool = True) -> Client:
    user = person(name, role)
    User.objects.filter(pk=user.pk).update(is_staff=staff)
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client


def run_now(client: Client, name: str) -> str:
    chosen = {"action": "run_now", "_selected_action": [name]}
    return client.post(reverse(LIST), chosen, follow=True).content.decode()


def test_the_admin_orders_retention_and_shows_how_it_ended() -> None:
    client = browser("boss", "Admin")
    assert "never done" in client.get(reverse(LIST)).content.decode()
    duty = PruneHistory(first_after=3600.0)
    duty.run_once(100)
    assert Housekeeping.objects.get(pk=PRUNE_HISTORY).begun_at is None, "it is not due, and nobody ordered it"
    run_now(client, PRUNE_HISTORY)
    assert AuditLog.objects.get(event="order_housekeeping").owner == "boss"
    wait_until(lambda: duty.run_once(100) and duty._running is None, 60, what="the round of retention to end")
    row = Housekeeping.objects.get(pk=PRUNE_HISTORY)
    assert (row.ordered_at, row.has_failed, row.result) == (None, False, "Nothing was old.")
    assert row.begun_at is not None and row.ended_at is not None and row.begun_at <= row.ended_at
    assert "well" in client.get(reverse(LIST)).content.decode()


def test_an_ordered_rotation_goes_batch_by_batch_and_tells_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """C29-a: online, resumable, with counts per key."""
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    monkeypatch.setitem(conf._values, ("core", "fernet_key"), old)
    Connection.objects.create(conn_id="c", conn_type="http", password="p4ssw0rd", extra="{}")
    Variable.objects.create(key="v", val="x")
    monkeypatch.setitem(conf._values, ("core", "fernet_key"), f"{new},{old}")
    client = browser("boss", "Admin")
    client.get(reverse(LIST))
    page = client.get(reverse("admin:processes_housekeeping_change", args=[ROTATE_KEYS])).content.decode()
    assert f"3 by {key_id_of(old)} (an older key)" in page
    duty = RotateKeys()
    assert duty.run_once(100).done == 0
    run_now(client, ROTATE_KEYS)
    assert [duty.run_once(100).done for _ in range(5)] == [1, 1, 1, 0, 0]
    assert counts() == {key_id_of(new): 3}
    assert Housekeeping.objects.get(pk=ROTATE_KEYS).result == "3 values encrypted anew, 0 that no key opens."


def test_a_job_that_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(conf._values, ("core", "fernet_key"), Fernet.generate_key().decode())
    Variable.objects.create(key="v", val="x")
    monkeypatch.setitem(conf._values, ("core", "fernet_key"), Fernet.generate_key().decode())
    order(ROTATE_KEYS, actor="me")
    duty = RotateKeys()
    for _ in range(3):
        duty.run_once(100)
    row = Housekeeping.objects.get(pk=ROTATE_KEYS)
    assert (row.has_failed, row.result) == (True, "0 values encrypted anew, 1 that no key opens.")


def test_an_order_is_taken_once() -> None:
    order(PRUNE_HISTORY, actor="me")
    assert [order_taken(PRUNE_HISTORY), order_taken(PRUNE_HISTORY)] == [True, False]


def test_what_cannot_be_done_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(conf._values, ("retention", "enabled"), False)
    client = browser("boss", "Admin")
    client.get(reverse(LIST))
    assert "[retention] enabled is off." in run_now(client, PRUNE_HISTORY)
    with pytest.raises(OrderRefusedError, match="There is no job 'x'"):
        order("x", actor="me")


def test_only_admins_order() -> None:
    browser("boss", "Admin").get(reverse(LIST))
    assert run_now(browser("otto", "Op"), PRUNE_HISTORY)
    assert not order_taken(PRUNE_HISTORY)


def test_celery_beat_only_orders() -> None:
    """ADR 0016: the plan is in the database of django-celery-beat, the work in the scheduler."""
    from orchestrator.celery import app
    from runs.celery_tasks import order_housekeeping

    assert app.conf.beat_scheduler == "django_celery_beat.schedulers:DatabaseScheduler"
    order_housekeeping(PRUNE_HISTORY)
    assert AuditLog.objects.get(event="order_housekeeping").owner == "celery beat"
