"""How long a retry waits: by Airflow's formula, capped, for any number of tries (C25-b)."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.sdk.serialization.spec import TaskSpec
from runs.attempts import infra_retry_delay, launch_delay, retry_delay

DAY = 86400.0

tries = st.integers(min_value=1, max_value=10_000)
seconds = st.floats(min_value=0.0, max_value=1e6, allow_nan=False)

# delay, back-off, longest delay, try, task, logical date -> seconds, as Airflow 3.3.2 has them for a DAG "d"
RECORDED: list[tuple[float, float, float | None, int, str, str | None, float]] = [
    (30, 2.0, 60.0, 1, "t0", "2026-01-02T03:04:05+00:00", 44.0),
    (1, 1.5, None, 100, "t2", "2026-01-02T03:04:05.000678+00:00", 86400.0),
    (0, 3.0, None, 1, "t3", "2026-01-02T03:04:05.000678+00:00", 1.0),
    (0.5, 1.5, 60.0, 3, "t4", "2026-01-02T03:04:05+00:00", 3.0),
    (30, 0.5, None, 3, "t8", "2026-01-02T03:04:05.000678+00:00", 9.0),
    (0.5, 1.5, 60.0, 1, "t9", "2026-01-02T03:04:05+00:00", 1.0),
    (1, 2.0, None, 20, "t11", None, 86400.0),
    (1, 2.0, 60.0, 5000, "t12", "2026-01-02T03:04:05.000678+00:00", 60.0),
    (1, 1.5, None, 100, "t15", "2026-01-02T03:04:05+00:00", 86400.0),
    (7, 3.0, None, 5000, "t16", None, 86400.0),
    (100000, 1.5, 60.0, 20, "t18", "2026-01-02T03:04:05.000678+00:00", 60.0),
    (1, 1.5, None, 20, "t19", "2026-01-02T03:04:05+00:00", 3815.0),
    (0, 1.5, None, 5, "t20", "2026-01-02T03:04:05+00:00", 1.0),
    (30, 3.0, 60.0, 3, "t21", "2026-01-02T03:04:05+00:00", 60.0),
    (100000, 1.0, None, 3, "t1", None, 100000.0),
    (0.5, 0, None, 5000, "t5", None, 0.5),
    (0.5, 0, None, 5, "t6", None, 0.5),
]


def row(task_id: str = "t", logical_date: str | None = None) -> Any:
    run = SimpleNamespace(logical_date=datetime.fromisoformat(logical_date) if logical_date else None)
    return SimpleNamespace(dag_id="d", task_id=task_id, dag_run=run)


@pytest.mark.parametrize(("delay", "factor", "most", "number", "task_id", "date", "wanted"), RECORDED)
def test_a_delay_is_airflows(
    delay: float, factor: float, most: float | None, number: int, task_id: str, date: str | None, wanted: float
) -> None:
    task = TaskSpec(task_id=task_id, retry_delay=delay, retry_exponential_backoff=factor, max_retry_delay=most)
    assert retry_delay(task, number, row(task_id, date)) == wanted


@given(try_number=tries, delay=seconds, factor=st.floats(1.01, 10.0), cap=st.one_of(st.none(), st.floats(1.0, 1e5)))
def test_c25b_a_growing_delay_is_never_below_a_second_and_never_above_its_cap(
    try_number: int, delay: float, factor: float, cap: float | None
) -> None:
    task = TaskSpec(task_id="t", retry_delay=delay, retry_exponential_backoff=factor, max_retry_delay=cap)
    assert 1.0 <= retry_delay(task, try_number, row()) <= min(cap or DAY, DAY)


@given(try_number=tries, delay=st.floats(0.1, 100.0))
def test_c25b_a_later_try_waits_at_least_as_long_but_for_the_spread(try_number: int, delay: float) -> None:
    task = TaskSpec(task_id="t", retry_delay=delay, retry_exponential_backoff=2.0)
    assert retry_delay(task, try_number + 1) >= retry_delay(task, try_number)


def test_c25b_the_ten_thousandth_try_waits_for_the_cap() -> None:
    task = TaskSpec(task_id="t", retry_delay=1.0, retry_exponential_backoff=2.0, max_retry_delay=600.0)
    assert retry_delay(task, 10_000, row()) == 600.0


def test_without_back_off_every_try_waits_the_same() -> None:
    task = TaskSpec(task_id="t", retry_delay=7.0)
    assert {retry_delay(task, number) for number in (1, 2, 10_000)} == {7.0}


def test_a_task_that_left_its_dag_waits_the_default_time() -> None:
    assert retry_delay(None, 1) == 300.0


@given(number=tries)
def test_c25b_what_the_infrastructure_lost_returns_within_a_minute(number: int) -> None:
    assert 0.0 < infra_retry_delay(number) <= 60.0
    assert 0.0 < launch_delay(number) <= 60.0
