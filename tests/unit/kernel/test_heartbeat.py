"""When a process stops trusting itself."""

import threading

import pytest

from orchestrator.kernel.heartbeat import Heartbeat, HeartbeatLostError
from tests.waiting import wait_until

LONG = 30.0


def test_trust_lasts_while_beats_succeed() -> None:
    third = threading.Event()
    beats: list[int] = []

    def beat() -> None:
        beats.append(1)
        if len(beats) == 3:
            third.set()

    heartbeat = Heartbeat(beat, 0.01, LONG, on_lost=lambda: None)
    heartbeat.start()
    assert third.wait(60)
    assert heartbeat.is_trusted()
    heartbeat.stop()


def test_a_first_beat_that_fails_is_raised() -> None:
    def fail() -> None:
        raise OSError("no database")

    with pytest.raises(OSError, match="no database"):
        Heartbeat(fail, 1, 2, on_lost=lambda: None).start()


def test_failing_beats_end_the_trust_after_the_trust_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """I1: one that cannot renew its heartbeat stops before others may take over."""
    lost = threading.Event()
    beats: list[int] = []
    monkeypatch.setattr("orchestrator.kernel.heartbeat.monotonic", lambda: 10.0 * len(beats))  # each beat takes 10 s

    def beat() -> None:
        beats.append(1)
        if len(beats) > 1:
            raise OSError("gone")

    heartbeat = Heartbeat(beat, 0.01, LONG, on_lost=lost.set)
    heartbeat.start()
    assert heartbeat.is_trusted()
    assert lost.wait(60)
    assert not heartbeat.is_trusted()
    assert len(beats) == 3


def test_a_passing_failure_is_repeated_and_forgotten() -> None:
    recovered = threading.Event()
    outcomes = iter([None, OSError("gone"), None, None])

    def beat() -> None:
        outcome = next(outcomes, None)
        if outcome:
            raise outcome
        if next(outcomes, None) is None:
            recovered.set()

    heartbeat = Heartbeat(beat, 0.01, LONG, on_lost=lambda: None)
    heartbeat.start()
    assert recovered.wait(60)
    assert heartbeat.is_trusted()
    heartbeat.stop()


def test_being_replaced_is_lost_at_once() -> None:
    lost = threading.Event()
    beats: list[int] = []

    def beat() -> None:
        beats.append(1)
        if len(beats) > 1:
            raise HeartbeatLostError("the row is gone")

    heartbeat = Heartbeat(beat, 0.01, LONG, on_lost=lost.set)
    heartbeat.start()
    assert lost.wait(60)
    assert not heartbeat.is_trusted()


def test_a_hanging_beat_ends_the_trust_too() -> None:
    hang = threading.Event()
    beats: list[int] = []

    def beat() -> None:
        beats.append(1)
        if len(beats) > 1:
            hang.wait(LONG)

    heartbeat = Heartbeat(beat, 0.01, 0.02, on_lost=lambda: None)
    heartbeat.start()
    wait_until(lambda: not heartbeat.is_trusted(), what="the end of the trust")
    hang.set()
    heartbeat.stop()


def test_trust_must_outlast_the_interval() -> None:
    with pytest.raises(ValueError, match="trust_seconds"):
        Heartbeat(lambda: None, 5, 5, on_lost=lambda: None)
