"""What a sensor ends with, for everything that poke may do, by mode and by soft_fail, silent_fail and never_fail (as Airflow 3.3.2)."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.sdk.definitions.dag import DAG
from orchestrator.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTimeout,
    TaskDeferralError,
)
from orchestrator.sdk.sensors.base import BaseSensorOperator, PokeReturnValue

WHAT: dict[str, BaseException | None] = {
    "false": None,
    "value": ValueError("x"),
    "airflow": AirflowException("x"),
    "deferral": TaskDeferralError("x"),
    "fail": AirflowFailException("x"),
    "sensor": AirflowSensorTimeout("x"),
    "task": AirflowTaskTimeout("x"),
    "skip": AirflowSkipException("x"),
}
FLAGS = ("", "never", "silent", "silent never", "soft", "soft silent")
LETTERS = {
    "AirflowSkipException": "K",
    "AirflowSensorTimeout": "T",
    "AirflowRescheduleException": "R",
    "done": "v",
}
# One letter for each of FLAGS: K skips, T sensor time-out, R reschedule, v the value; x what poke raised.
# what: poke with time left, poke out of time, reschedule with time left, reschedule out of time
EXPECTED = {
    "false": ("vvvvvv", "TTTTKK", "RRRRRR", "TTTTKK"),
    "value": ("xKvvxv", "xKTTxK", "xKRRxR", "xKTTxK"),
    "airflow": ("xKvvxv", "xKTTxK", "xKRRxR", "xKTTxK"),
    "deferral": ("xKvvxv", "xKTTxK", "xKRRxR", "xKTTxK"),
    "fail": ("xKxKKK",) * 4,
    "sensor": ("TKTKKK",) * 4,
    "task": ("xKxKKK",) * 4,
    "skip": ("KKKKKK",) * 4,
}
PLACES = (("poke", 1000), ("poke", 0), ("reschedule", 1000), ("reschedule", 0))


class Scripted(BaseSensorOperator):
    def __init__(self, *, what: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.what, self.pokes = what, 0

    def poke(self, context: Any) -> bool | PokeReturnValue:
        self.pokes += 1
        if self.pokes > 3:
            return PokeReturnValue(True, "done")
        if (error := WHAT[self.what]) is not None:
            raise error
        return False

    def go_on(self, context: Any) -> str:
        if (error := WHAT[self.what]) is not None:
            raise error
        return "done"


def sensor(what: str, flags: str = "", **more: Any) -> Scripted:
    given = {f"{flag}_fail": True for flag in flags.split()}
    with DAG("d", schedule=None):
        return Scripted(what=what, task_id="s", **{"poke_interval": 0, **given, **more})


def letter(act: Any) -> str:
    try:
        found = str(act())
    except BaseException as error:
        found = type(error).__name__
    return LETTERS.get(found, "x")


def context_since(first: dt.datetime | None = None) -> dict[str, Any]:
    return {"ti": SimpleNamespace(get_first_reschedule_date=lambda context: first)}


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("what", WHAT)
def test_the_outcome_of_a_sensor(what: str, place: int) -> None:
    mode, timeout = PLACES[place]
    found = [letter(lambda f=flags: sensor(what, f, mode=mode, timeout=timeout).execute(context_since())) for flags in FLAGS]
    assert "".join(found) == EXPECTED[what][place]


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("false", "vvv"),
        ("value", "xxx"),
        ("airflow", "xKK"),
        ("deferral", "xKK"),
        ("sensor", "TKK"),
        ("task", "xxx"),
        ("skip", "KKK"),
    ],
)
def test_the_outcome_of_a_sensor_after_a_deferral(what: str, expected: str) -> None:
    found = [letter(lambda f=flags: sensor(what, f).resume_execution("go_on", {}, {})) for flags in ("", "soft", "never")]
    assert "".join(found) == expected


@pytest.mark.parametrize(("error", "expected"), [("Trigger failure", "xKK"), ("Trigger timeout", "TKK")])
def test_a_trigger_that_failed_is_an_error_of_the_sensor(error: str, expected: str) -> None:
    told = {"error": error}
    found = [letter(lambda f=flags: sensor("false", f).resume_execution("__fail__", told, {})) for flags in ("", "soft", "never")]
    assert "".join(found) == expected


def test_the_time_of_a_sensor_counts_across_its_reschedules() -> None:
    began = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=100)
    assert letter(lambda: sensor("false", mode="reschedule", timeout=50).execute(context_since(began))) == "T"
    assert letter(lambda: sensor("false", mode="reschedule", timeout=500).execute(context_since(began))) == "R"


# (mode, poke_interval, max_wait, timeout, seconds so far, number of the poke): seconds, as Airflow 3.3.2 waits.
@pytest.mark.parametrize(
    ("mode", "interval", "max_wait", "timeout", "elapsed", "number", "least", "most"),
    [
        ("poke", 5, None, 10**6, 0, 1, 2, 3),
        ("poke", 5, None, 10**6, 0, 3, 10, 19),
        ("poke", 60, 7, 10**6, 0, 3, 7, 7),
        ("poke", 60, None, 100, 40, 6, 60, 60),
        ("reschedule", 1, None, 10**6, 0, 9, 1, 1),
        ("reschedule", 60, None, 100, 99, 1, 1, 1),
    ],
)
def test_exponential_backoff_doubles_from_half_the_interval_and_ends_at_the_timeout(
    mode: str, interval: float, max_wait: float | None, timeout: float, elapsed: float, number: int, least: float, most: float
) -> None:
    task = sensor("false", mode=mode, poke_interval=interval, max_wait=max_wait, timeout=timeout, exponential_backoff=True)
    waits = {task._get_next_poke_interval(1234.5, lambda: elapsed, number) for _ in range(3)}
    assert len(waits) == 1
    assert least <= waits.pop() <= most


def test_in_reschedule_mode_the_wait_grows_with_the_time_since_the_first_poke() -> None:
    task = sensor("false", mode="reschedule", poke_interval=5, timeout=10**6, exponential_backoff=True)
    waits = [task._get_next_poke_interval(1234.5, lambda e=elapsed: e, 1) for elapsed in (0, 10, 100, 1000)]
    assert waits == sorted(waits)
    assert waits[-1] > 10 * waits[0]


@pytest.mark.parametrize(
    "wrong", [{"mode": "x"}, {"timeout": -1}, {"poke_interval": -1}, {"max_wait": -1}, {"soft_fail": True, "never_fail": True}]
)
def test_wrong_arguments_of_a_sensor_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="s"):
        sensor("false", **wrong)
