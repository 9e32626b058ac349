"""The one loop: when duties run, what their errors do, how it stops."""

import os
import threading
from collections.abc import Callable, Sequence

import pytest

from orchestrator.kernel import telemetry
from orchestrator.kernel.readiness import Descriptor, readable
from orchestrator.kernel.service import Result, Service


class FakeWakeup:
    """Never wakes by itself; records each wait and lets the test act in it."""

    def __init__(self, act: Callable[[float], None] = lambda timeout: None, woken: bool = False) -> None:
        self.timeouts: list[float] = []
        self.woken = woken
        self.is_closed = False
        self._act = act

    def wait(self, timeout: float, fds: Sequence[Descriptor] = ()) -> list[Descriptor]:
        self.timeouts.append(timeout)
        self._act(timeout)
        return readable(0, fds)

    def close(self) -> None:
        self.is_closed = True


class Scripted:
    """A duty that follows a list of results and errors; after its end it does nothing."""

    poll_seconds = 0.0

    def __init__(self, name: str, *script: Result | Exception, periodic: bool = False) -> None:
        self.name = name
        self.periodic = periodic
        self.runs = 0
        self._script = list(script)

    def run_once(self, limit: int) -> Result:
        self.runs += 1
        step = self._script.pop(0) if self._script else Result()
        if isinstance(step, Exception):
            raise step
        return step


def service(*duties: Scripted, rounds: int = 3, **more: object) -> tuple[Service, FakeWakeup]:
    wakeup = FakeWakeup(lambda timeout: made.stop() if made.rounds >= rounds else None, woken=True)
    made = Service("test", duties, wakeup, poll_seconds=5.0, **more)  # type: ignore[arg-type]
    return made, wakeup


def test_a_duty_with_more_to_do_runs_again_without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.kernel.service.monotonic", lambda: 100.0)  # however long the rounds take
    made, wakeup = service(Scripted("busy", Result(done=1, more=True)), rounds=2)
    made.run()
    assert wakeup.timeouts[0] == 0
    assert 4 < wakeup.timeouts[1] <= 5.5


def test_what_one_duty_did_is_news_for_those_after_it_in_the_same_round() -> None:
    first, second = Scripted("first", Result(), Result(done=1)), Scripted("second")
    made, _ = service(first, second)
    made.run_due(woken=True)
    made._scheduled[0].due_at = 0.0
    made.run_due(woken=False)
    assert (first.runs, second.runs) == (2, 2)


def test_rounds_that_did_nothing_are_counted() -> None:
    made, _ = service(Scripted("a", Result(done=1)))
    made.run()
    assert (made.rounds, made.idle_rounds) == (3, 2)


def test_the_loop_sleeps_no_longer_than_the_earliest_duty_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.kernel.service.monotonic", lambda: 100.0)  # however long the round takes
    made, wakeup = service(Scripted("a"), Scripted("b", Result(next_in=0.7)), rounds=1)
    made.run()
    assert wakeup.timeouts[0] == pytest.approx(0.7)


def test_duties_that_only_poll_do_so_in_one_round() -> None:
    made, _ = service(Scripted("a"), Scripted("b"), Scripted("c", Result(next_in=30)))
    made.run_due(woken=True)
    assert len({entry.due_at for entry in made._scheduled}) == 1


def test_a_duty_whose_news_are_announced_polls_less_often_and_runs_at_every_wake_up() -> None:
    patient, plain = Scripted("patient"), Scripted("plain")
    patient.poll_seconds = 50.0
    made, _ = service(patient, plain)
    made.run_due(woken=True)
    due_at = [entry.due_at for entry in made._scheduled]
    assert due_at[0] - due_at[1] > 40
    made.run_due(woken=True)
    assert (patient.runs, plain.runs) == (2, 2)


def test_a_duty_that_raises_is_backed_off_alone_and_counted() -> None:
    telemetry.reset()
    bad, good = Scripted("bad", ValueError("poison")), Scripted("good")
    made, _ = service(bad, good, rounds=3)
    made.run()
    assert bad.runs == 1
    assert good.runs == 3
    assert telemetry.snapshot()[0][("duty.failed", (("duty", "bad"),))] == 1


def test_a_periodic_duty_does_not_run_at_every_wake_up() -> None:
    periodic, plain = Scripted("periodic", Result(next_in=60), periodic=True), Scripted("plain")
    made, _ = service(periodic, plain, rounds=4)
    made.run()
    assert (periodic.runs, plain.runs) == (1, 4)


def test_start_and_stop_are_called_once_and_the_wakeup_is_closed_even_after_an_error() -> None:
    calls: list[str] = []
    made, wakeup = service(on_start=lambda: calls.append("start"), on_stop=lambda: calls.append("stop"), rounds=1)
    made.run()
    assert calls == ["start", "stop"] and wakeup.is_closed

    def fail() -> None:
        raise RuntimeError("no database")

    broken, wakeup = service(on_start=fail, on_stop=lambda: calls.append("stop"))
    with pytest.raises(RuntimeError, match="no database"):
        broken.run()
    assert calls[-1] == "stop" and wakeup.is_closed


def test_an_error_while_reconnecting_does_not_end_the_loop() -> None:
    duty = Scripted("a")

    def fail() -> None:
        raise OSError("gone")

    made, _ = service(duty, on_wake=fail, rounds=2)
    made.run()
    assert duty.runs == 2


def test_a_service_that_lost_its_heartbeat_stops_without_another_round() -> None:
    duty = Scripted("a")
    made, _ = service(duty, is_trusted=lambda: False)
    made.run()
    assert duty.runs == 0


def test_a_readable_descriptor_calls_its_callback_and_may_save_the_round() -> None:
    """A callback that returns False says that no duty has to run for it."""
    reader, writer = os.pipe()
    duty = Scripted("a")
    got: list[bytes] = []
    wakeup = FakeWakeup(lambda timeout: made.stop() if got else os.write(writer, b"x") and None)
    made = Service("test", [duty], wakeup, poll_seconds=60)

    def read() -> bool:
        got.append(os.read(reader, 1))
        return False

    made.extra_fds[reader] = read
    made.run()
    assert got == [b"x"]
    assert duty.runs == 1


def test_draining_serves_descriptors_until_all_is_done() -> None:
    reader, writer = os.pipe()
    ended: list[bytes] = []
    made, _ = service(Scripted("a"), rounds=1, on_drain=lambda: os.write(writer, b"1"), is_drained=lambda: bool(ended))
    made.extra_fds[reader] = lambda: ended.append(os.read(reader, 1))
    made.run()
    assert ended == [b"1"]


def test_draining_ends_at_its_deadline() -> None:
    made, _ = service(Scripted("a"), rounds=1, is_drained=lambda: False, drain_timeout_seconds=0.05)
    made.run()


def test_stop_works_from_another_thread() -> None:
    class Blocking(FakeWakeup):
        def wait(self, timeout: float, fds: Sequence[Descriptor] = ()) -> list[Descriptor]:
            entered.set()
            return readable(30, fds)

    entered = threading.Event()
    made = Service("test", [Scripted("a")], Blocking(), poll_seconds=60)
    runner = threading.Thread(target=made.run)
    runner.start()
    assert entered.wait(60)
    made.stop()
    runner.join(60)
    assert not runner.is_alive()
