"""A committed change wakes who waits for it, a rolled back one does not; on both databases."""

import threading
from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from orchestrator.database import is_sqlite, notify_on_commit, wakeup_for
from orchestrator.kernel.wakeup import Wakeup

pytestmark = pytest.mark.django_db(transaction=True)

# Long enough that a wait which nothing ends fails the test by its result, not by the clock.
LONG_SECONDS = 60


@pytest.fixture
def wakeup() -> Iterator[Wakeup]:
    made = wakeup_for("test_topic")
    yield made
    made.close()


def is_woken(wakeup: Wakeup, timeout: float) -> bool:
    wakeup.wait(timeout)
    return wakeup.woken


def test_a_commit_wakes(wakeup: Wakeup) -> None:
    with transaction.atomic():
        notify_on_commit("test_topic")
    assert is_woken(wakeup, LONG_SECONDS)


def test_outside_of_a_transaction_it_wakes_at_once(wakeup: Wakeup) -> None:
    notify_on_commit("test_topic")
    assert is_woken(wakeup, LONG_SECONDS)


def test_nobody_is_woken_before_the_commit_nor_by_a_rollback(wakeup: Wakeup) -> None:
    try:
        with transaction.atomic():
            notify_on_commit("test_topic")
            assert not is_woken(wakeup, 0)
            raise LookupError
    except LookupError:
        assert not is_woken(wakeup, 0.05)


def test_another_topic_wakes_nobody(wakeup: Wakeup) -> None:
    notify_on_commit("other_topic")
    assert not is_woken(wakeup, 0.05)


def test_a_topic_is_announced_once_per_transaction(wakeup: Wakeup) -> None:
    with transaction.atomic():
        for _ in range(5):
            notify_on_commit("test_topic")
        announced = len(connection.run_on_commit)
    assert announced <= 2
    assert is_woken(wakeup, LONG_SECONDS)


def test_a_rolled_back_savepoint_does_not_swallow_a_later_announcement(wakeup: Wakeup) -> None:
    with transaction.atomic():
        try:
            with transaction.atomic():
                notify_on_commit("test_topic")
                raise LookupError
        except LookupError:
            notify_on_commit("test_topic")
    assert is_woken(wakeup, LONG_SECONDS)


def test_a_wake_up_ends_a_wait_that_is_under_way(wakeup: Wakeup) -> None:
    woken: list[bool] = []
    waiting = threading.Thread(target=lambda: woken.append(is_woken(wakeup, LONG_SECONDS)))
    waiting.start()
    while waiting.is_alive():
        notify_on_commit("test_topic")
        waiting.join(0.05)
    assert woken == [True]


def test_a_lost_listening_connection_wakes_and_is_made_again(wakeup: Wakeup) -> None:
    """Polling is the truth: while nobody listens the wait is a sleep, and the loss itself is a reason to look."""
    if is_sqlite():
        pytest.skip("SQLite has no connection to lose.")
    from orchestrator.kernel.listen import PostgresWakeup

    assert isinstance(wakeup, PostgresWakeup)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [wakeup._connection.info.backend_pid])
    # The server's last words and the end of the connection may arrive one after the other.
    assert is_woken(wakeup, LONG_SECONDS) or is_woken(wakeup, LONG_SECONDS)
    assert wakeup._connection is None
    wakeup._next_try = 0.0
    wakeup.wait(0)
    notify_on_commit("test_topic")
    assert is_woken(wakeup, LONG_SECONDS)
