"""Retries of both budgets, rules on causes, and what people may do about a waiting retry (C25)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from accounts.models import AuditLog
from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs import transitions
from runs.cause_rules import _read
from runs.causes import INFRA_CAUSES, Cause
from runs.models import DagRun, TaskInstance, TaskInstanceHistory
from runs.reports import Report
from runs.retry_orders import NotWaitingError, give_up, outlook, retry_now
from tests.integration.runs.harness import Rounds, trigger

pytestmark = pytest.mark.django_db


def spec(rules: list[dict[str, Any]] | None = None, retries: int = 1) -> DagSpec:
    return DagSpec(dag_id="d", tasks=[TaskSpec(task_id="t", retries=retries, retry_delay=300.0)], retry_rules=rules or [])


def end(rounds: Rounds, cause: str, state: str = "up_for_retry", **evidence: Any) -> TaskInstance:
    rounds.run()
    (handed,) = rounds.executor.handed
    rounds.executor.handed = []
    rounds.begin([handed])
    now = utcnow()
    with transaction.atomic():
        transitions.finish([Report(handed.ti_id, handed.dispatch_id, state, now, cause=cause, **evidence)], now=now)
    return TaskInstance.objects.get()


@pytest.mark.parametrize(
    ("rule", "cause", "evidence", "wanted"),
    [
        ({"cause": "out_of_memory", "action": "retry", "queue": "big", "delay": 5}, "out_of_memory", {}, ("up_for_retry", "big")),
        ({"cause": "execution_timeout", "action": "fail"}, "execution_timeout", {}, ("failed", "default")),
        ({"exit_code": 99, "action": "skip"}, "exit_code", {"exit_code": 99}, ("skipped", "default")),
        ({"exit_code": 99, "action": "skip"}, "exit_code", {"exit_code": 1}, ("up_for_retry", "default")),
        ({"cause": "lease_lost", "action": "fail"}, "lease_lost", {}, ("failed", "default")),
    ],
)
def test_c25c_a_rule_on_the_cause_decides(
    rule: dict[str, Any], cause: str, evidence: dict[str, Any], wanted: tuple[str, str]
) -> None:
    trigger(spec([rule]))
    row = end(Rounds(), cause, **evidence)
    assert (row.state, row.queue) == wanted
    if "delay" in rule:
        assert row.retry_at is not None and row.retry_at - utcnow() < timedelta(seconds=6)
        assert TaskInstanceHistory.objects.get().queue == "default"


def test_c25c_a_retry_by_rule_uses_the_authors_retries() -> None:
    trigger(spec([{"cause": "out_of_memory", "action": "retry"}], retries=0))
    assert end(Rounds(), "out_of_memory", state="failed").state == "failed"


def test_c25c_the_configuration_has_rules_too_and_wrong_ones_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [{"exit_code": 99, "action": "skip"}]
    monkeypatch.setenv("AIRFLOW__SCHEDULER__RETRY_RULES", json.dumps(rules))
    conf.reload()
    try:
        trigger(spec())
        assert end(Rounds(), "exit_code", exit_code=99).state == "skipped"
    finally:
        monkeypatch.undo()
        conf.reload()
    assert _read('[{"exit_code": 99, "action": "jump"}]') == [] and _read("no json") == []


@pytest.mark.parametrize("cause", sorted(INFRA_CAUSES))
def test_c25a_what_the_infrastructure_lost_uses_its_own_budget_until_that_is_spent(cause: str) -> None:
    trigger(spec(retries=0))
    rounds = Rounds()
    for lost in range(1, 4):
        row = end(rounds, cause)
        assert (row.state, row.infra_tries) == ("up_for_retry", lost)
        rounds.run()
        rounds.let_due()
    assert end(rounds, cause).state == "failed"
    assert list(TaskInstanceHistory.objects.values_list("cause", flat=True)) == [cause] * 3


def waiting(rounds: Rounds) -> tuple[DagRun, TaskInstance]:
    run = trigger(spec(retries=2))
    return run, end(rounds, Cause.USER_EXCEPTION)


def test_c25d_retry_now_begins_the_next_try_at_once() -> None:
    rounds = Rounds()
    _, row = waiting(rounds)
    assert (outlook(row).retries_left, outlook(row).infra_retries_left) == (2, 3)
    rounds.run()
    assert rounds.executor.handed == []
    with transaction.atomic():
        retry_now(row, actor="ann")
    rounds.run()
    assert [hand.workload["ti"]["try_number"] for hand in rounds.executor.handed] == [2]
    assert AuditLog.objects.filter(event="retry_now", owner="ann", task_id="t").exists()
    with pytest.raises(NotWaitingError, match="does not wait for another try: it is queued"), transaction.atomic():
        retry_now(row, actor="ann")


def test_c25d_give_up_fails_the_task_and_its_run() -> None:
    rounds = Rounds()
    run, row = waiting(rounds)
    with transaction.atomic():
        give_up(row, actor="ann")
    rounds.run()
    run.refresh_from_db()
    assert (TaskInstance.objects.get().state, run.state) == ("failed", "failed")


def test_c25d_the_api_says_what_is_left_and_takes_both_orders(admin_call: Callable[..., Any]) -> None:
    rounds = Rounds()
    run, _ = waiting(rounds)
    path = f"/api/v2/dags/d/dagRuns/{run.run_id}/taskInstances/t/retry"
    body = admin_call("get", path).json()
    assert (body["retries_left"], body["infra_retries_left"], body["state"]) == (2, 3, "up_for_retry") and body["retry_at"]
    assert admin_call("post", f"{path}/now").status_code == 200
    assert admin_call("post", f"{path}/giveUp").json()["state"] == "failed"
    assert admin_call("post", f"{path}/now").status_code == 409
    assert admin_call("get", f"{path}?map_index=7").status_code == 404


@pytest.fixture
def admin_call(db: None) -> Callable[..., Any]:
    from django.test import Client

    from accounts.models import User
    from accounts.tokens import token_for

    user = User.objects.create_superuser("admin", password="a-long-password")
    client = Client(headers={"Authorization": f"Bearer {token_for(user, lifetime_seconds=60)}"})
    return lambda method, path: getattr(client, method)(path)
