"""Two schedulers, two reports, a report and a loss at once: a deadline is missed once, a delivery handed over and ended once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.kernel.clock import utcnow
from runs import transitions
from runs.callbacks import services
from runs.callbacks.services import Outcome
from runs.models import Callback, Deadline
from runs.reports import Report
from runs.scheduler.deliver_callbacks import DeliverCallbacks
from runs.scheduler.expire_deadlines import ExpireDeadlines
from tests.concurrency.at_once import at_once, deadlocks
from tests.integration.callbacks.test_deadlines import CALL, PAST, QUEUED, run_of
from tests.integration.callbacks.test_deliveries import Delivering, write
from tests.integration.callbacks.test_matrix import attempt

pytestmark = pytest.mark.django_db(transaction=True)

TIMES = range(4)


@pytest.mark.parametrize("_", TIMES)
def test_two_schedulers_miss_a_deadline_once(_: int) -> None:
    """C27-b."""
    before = deadlocks()
    from orchestrator.sdk.definitions.deadline import DeadlineAlert

    run_of(deadline=[DeadlineAlert(QUEUED, PAST, CALL)])
    at_once(look, look)
    assert Deadline.objects.get().state == "missed" and Callback.objects.count() == 1
    assert deadlocks() == before


def look() -> int:
    """One scheduler's look."""
    return ExpireDeadlines().run_once(10).done


@pytest.mark.parametrize("_", TIMES)
def test_two_schedulers_hand_a_delivery_over_once(_: int) -> None:
    """C09-b."""
    write()
    first, second = Delivering(), Delivering()
    handed = at_once(of(first.duty), of(second.duty))
    assert sum(handed) == 1 == len(first.executor.handed) + len(second.executor.handed)
    assert Callback.objects.get().attempts == 1


def of(duty: DeliverCallbacks) -> Callable[[], int]:
    """One scheduler's round."""
    return lambda: duty.run_once(10).done


@pytest.mark.parametrize("_", TIMES)
def test_a_report_and_the_loss_of_its_executor_end_a_hand_over_once(_: int) -> None:
    write()
    (item,) = Delivering().run()
    ended = at_once(
        lambda: len(services.deliveries_end(Outcome(item.dispatch_id, True), now=utcnow())),
        lambda: len(services.deliveries_lose([item.dispatch_id], now=utcnow(), why="gone")),
    )
    assert sorted(ended) == [0, 1]
    assert Callback.objects.get().state == ("delivered" if ended[0] else "pending")


@pytest.mark.parametrize("_", TIMES)
def test_two_reports_of_one_lost_attempt_write_one_callback(_: int) -> None:
    """C09-a."""
    ti = attempt(0)
    report = Report(ti.pk, ti.dispatch_id, "failed", utcnow() + timedelta(0), cause="lease_lost", cause_detail="gone")

    def lose() -> Any:
        return len(transitions.lose([report], now=utcnow()))

    assert sorted(at_once(lose, lose)) == [0, 1]
    assert Callback.objects.count() == 1
