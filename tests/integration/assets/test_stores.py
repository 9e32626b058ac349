"""Values that tasks keep between attempts, and beside assets: retention, and forgetting with the success."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from runs import transitions
from runs.models import TaskState
from runs.reports import Report
from runs.scheduler.expire_values import ExpireValues
from runs.stores import TaskScope, default_expiry, task_value_set, task_values
from tests.factories import make_dag, make_run, make_ti

pytestmark = pytest.mark.django_db


def keep(scope: TaskScope, key: str, hours: float | None) -> None:
    now = utcnow()
    task_value_set(scope, key, 1, expires_at=None if hours is None else now + timedelta(hours=hours), now=now)


def test_a_value_under_the_same_key_takes_the_place_of_the_old_one():
    scope = TaskScope(make_run(make_dag()).pk, "t")
    now = utcnow()
    for number in (1, 2):
        task_value_set(scope, "k", number, expires_at=None, now=now)
    assert TaskState.objects.get().value == "2"


def test_what_has_expired_is_not_there_and_goes_away():
    scope = TaskScope(make_run(make_dag()).pk, "t")
    for key, hours in (("old", -1), ("new", 1), ("kept", None)):
        keep(scope, key, hours)
    assert set(task_values(scope, utcnow()).values_list("key", flat=True)) == {"new", "kept"}
    assert ExpireValues().run_once(100).done == 1
    assert set(TaskState.objects.values_list("key", flat=True)) == {"new", "kept"}


@pytest.mark.parametrize(("days", "expected"), [("3", timedelta(days=3)), ("0", None)])
def test_the_default_retention_is_configured(monkeypatch: pytest.MonkeyPatch, days: str, expected: timedelta | None):
    monkeypatch.setenv("AIRFLOW__STATE_STORE__DEFAULT_RETENTION_DAYS", days)
    conf.reload()
    now = utcnow()
    try:
        assert default_expiry(now) == (now + expected if expected else None)
    finally:
        monkeypatch.undo()
        conf.reload()


@pytest.mark.parametrize(("setting", "left"), [("True", 0), ("False", 1)])
def test_a_success_forgets_its_values_only_where_configured(monkeypatch: pytest.MonkeyPatch, setting: str, left: int):
    monkeypatch.setenv("AIRFLOW__STATE_STORE__CLEAR_ON_SUCCESS", setting)
    conf.reload()
    ti = make_ti(make_run(make_dag()), state="running")
    keep(TaskScope(ti.dag_run_id, "t"), "k", None)
    try:
        with transaction.atomic():
            transitions.finish([Report(ti.pk, ti.dispatch_id, "success", utcnow())], now=utcnow())
    finally:
        monkeypatch.undo()
        conf.reload()
    assert TaskState.objects.count() == left
