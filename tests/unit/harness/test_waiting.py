"""Waiting in tests: it returns what it waited for, and says what did not come."""

from threading import Event, Thread

import pytest

from tests.waiting import wait_until


def test_it_returns_the_first_true_value() -> None:
    values = iter([0, None, "ready"])
    assert wait_until(lambda: next(values), interval=0.001) == "ready"


def test_it_says_what_did_not_come_and_what_was_seen_last() -> None:
    with pytest.raises(AssertionError, match=r"still waiting for the moon; last value: 0"):
        wait_until(lambda: 0, 0.01, what="the moon", interval=0.001)


def test_an_event_ends_the_pause_at_once() -> None:
    wake, done = Event(), []
    Thread(target=lambda: (done.append(True), wake.set())).start()
    assert wait_until(lambda: done, 60, interval=60, wake=wake) == [True]
