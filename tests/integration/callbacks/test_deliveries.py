"""C09-b to C09-e: a delivery from its row to its end, with a scripted executor."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.ids import new_id
from runs.callbacks import services
from runs.callbacks.kinds import Kind
from runs.callbacks.results import take_result
from runs.callbacks.services import NewDelivery, Outcome
from runs.executors.base import ExecutorEvent, Executors
from runs.models import Callback
from runs.scheduler.deliver_callbacks import DeliverCallbacks
from runs.scheduler.reap_lost import HearExecutors
from tests.factories import make_dag, make_run
from tests.integration.runs.harness import ScriptedExecutor

pytestmark = pytest.mark.django_db

State = Callback.State


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No pause between attempts."""
    monkeypatch.setenv("AIRFLOW__CALLBACKS__CALLBACK_RETRY_DELAY_SECONDS", "0")
    conf.reload()
    yield
    monkeypatch.undo()
    conf.reload()


def write(kind: Kind = Kind.TASK, key: str = "k", group: str = "", number: int = 1) -> list[Callback]:
    """Deliveries of one run of the DAG ``d``."""
    from dags_app.models import Dag
    from runs.models import DagRun

    run = DagRun.objects.first() or make_run(Dag.objects.filter(pk="d").first() or make_dag("d"))
    payload = {
        "event": "on_failure_callback",
        "dag_run": {"run_id": run.run_id},
        "ti": {"task_id": "t"},
        "path": "a.b",
        "kwargs": {},
    }
    items = [NewDelivery(kind, "d", run.pk, payload, f"{key}{n}", group_key=group) for n in range(number)]
    with transaction.atomic():
        services.deliveries_create(items, now=utcnow())
    return list(Callback.objects.order_by("pk"))


class Delivering:
    """The duty with a scripted executor."""

    def __init__(self) -> None:
        self.executor = ScriptedExecutor()
        self.executors = Executors({"x": self.executor})
        self.duty = DeliverCallbacks(self.executors)

    def run(self) -> list[Any]:
        """Look once; returns what was handed over."""
        self.duty._look_at = self.duty._watch_at = 0.0
        self.duty.run_once(100)
        handed, self.executor.handed = self.executor.handed, []
        return handed


def end(dispatch_id: Any, delivered: bool = True, **more: Any) -> list[Callback]:
    """Report."""
    with transaction.atomic():
        return take_result(Outcome(dispatch_id, delivered, "said", **more), now=utcnow())


def test_a_delivery_is_handed_over_once_and_ends_with_its_report() -> None:
    write()
    delivering = Delivering()
    (item,) = delivering.run()
    assert delivering.run() == []
    assert item.workload["type"] == "ExecuteCallback" and item.workload["log_path"].startswith("executor_callbacks/d/r/")
    assert end(item.dispatch_id)
    row = Callback.objects.get()
    assert (row.state, row.attempts, row.last_output) == (State.DELIVERED, 1, "said") and row.delivered_at
    assert end(item.dispatch_id) == [] and delivering.run() == []


def test_a_failed_delivery_is_tried_again_three_times_and_keeps_what_succeeded() -> None:
    write()
    delivering = Delivering()
    for attempt in range(1, 5):
        (item,) = delivering.run()
        assert item.workload["callback"]["data"].get("done", []) == ([0] if attempt > 1 else [])
        end(item.dispatch_id, delivered=False, done=(0,))
    row = Callback.objects.get()
    assert (row.state, row.attempts) == (State.FAILED, 4)
    assert delivering.run() == []


def test_a_hand_over_whose_executor_died_is_made_again_and_the_late_report_is_refused() -> None:
    write()
    delivering = Delivering()
    (first,) = delivering.run()
    lost = ExecutorEvent("lost", first.ti_id, first.dispatch_id, "supervisor_died", "gone")
    delivering.executor.news = [lost]
    HearExecutors(delivering.executors).run_once(10)
    (second,) = delivering.run()
    assert second.dispatch_id != first.dispatch_id
    assert end(first.dispatch_id) == [] and Callback.objects.get().state == State.RUNNING
    assert end(second.dispatch_id) and Callback.objects.get().attempts == 2


def test_a_hand_over_that_nobody_reports_on_is_made_again_when_its_lease_is_over() -> None:
    write()
    delivering = Delivering()
    (first,) = delivering.run()
    assert services.deliveries_renew(first.dispatch_id, now=utcnow())
    Callback.objects.update(lease_until=utcnow() - timedelta(seconds=1))
    (second,) = [*delivering.run(), *delivering.run()]
    assert second.dispatch_id != first.dispatch_id
    assert not services.deliveries_renew(first.dispatch_id, now=utcnow())


def test_the_same_key_is_one_delivery() -> None:
    write()
    assert len(write()) == 1


def test_one_poisonous_delivery_hinders_no_other() -> None:
    rows = write(number=2)
    Callback.objects.filter(pk=rows[0].pk).update(payload={**rows[0].payload, "executor": "nowhere"}, kind=Kind.DEADLINE)
    delivering = Delivering()
    assert len(delivering.run()) == 1
    bad = Callback.objects.get(pk=rows[0].pk)
    assert bad.state == State.PENDING and "nowhere" in bad.last_output


def test_the_callback_of_a_task_goes_where_its_task_went_or_to_the_default_executor() -> None:
    (row,) = write()
    Callback.objects.update(payload={**row.payload, "executor": "gone", "queue": "gpu"})
    (item,) = Delivering().run()
    assert item.queue == "gpu"


def test_alerts_of_a_run_that_come_together_go_out_as_one_message() -> None:
    write(Kind.EMAIL, group="g", number=5)
    write(Kind.EMAIL, key="other", group="h")
    delivering = Delivering()
    assert delivering.run() == [], "they wait for others"
    run = Callback.objects.all()[0].dag_run
    assert run is not None
    services.deliveries_release(run.pk, now=utcnow())
    handed = [*delivering.run(), *delivering.run()]
    assert sorted(len(item.workload["callback"]["data"].get("group", [1])) for item in handed) == [1, 5]
    for item in handed:
        end(item.dispatch_id)
    assert set(Callback.objects.values_list("state", flat=True)) == {State.DELIVERED}


def test_muted_alerts_are_kept_but_not_sent_and_callbacks_run_all_the_same() -> None:
    write(Kind.EMAIL)
    write(Kind.TASK, key="c")
    services.alerts_mute("d", until=utcnow() + timedelta(hours=1), actor="ann")
    delivering = Delivering()
    handed = delivering.run()
    assert [item.workload["callback"]["kind"] for item in handed] == ["task_callback"]
    assert Callback.objects.get(kind=Kind.EMAIL).state == State.MUTED
    services.alerts_mute("d", until=utcnow() - timedelta(seconds=1), actor="ann")
    write(Kind.EMAIL, key="later")
    assert len(delivering.run()) == 1, "a mute that is over holds nothing back"


def test_sending_again_begins_anew_but_not_while_it_is_under_way() -> None:
    (row,) = write()
    delivering = Delivering()
    (item,) = delivering.run()
    assert not services.delivery_resend(row, now=utcnow())
    end(item.dispatch_id, done=(0,))
    row.refresh_from_db()
    assert services.delivery_resend(row, now=utcnow())
    (again,) = delivering.run()
    assert "done" not in again.workload["callback"]["data"] and Callback.objects.get().attempts == 1


def test_no_more_than_the_configured_number_is_under_way() -> None:
    write(number=10)
    delivering = Delivering()
    first = delivering.run()
    assert len(first) == 4 and delivering.run() == []
    end(first[0].dispatch_id)
    assert len(delivering.run()) == 1


def test_an_idle_look_is_one_query(django_assert_num_queries: Any) -> None:
    delivering = Delivering()
    delivering.run()
    delivering.duty._look_at = 0.0
    with django_assert_num_queries(1):
        delivering.duty.run_once(100)


def test_the_mail_options_go_to_alerts_only() -> None:
    write(Kind.EMAIL)
    write(Kind.TASK, key="c")
    by_kind = {item.workload["callback"]["kind"]: item.workload["environment"] for item in Delivering().run()}
    assert by_kind["task_callback"] == {} and by_kind["email"]["AIRFLOW__SMTP__SMTP_PORT"] == "25"


def test_a_report_of_an_unknown_hand_over_changes_nothing() -> None:
    assert end(new_id()) == []
