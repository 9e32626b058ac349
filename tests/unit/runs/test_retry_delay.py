"""How long a retry waits: grown step by step, capped, spread (C25-b)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.sdk.serialization.spec import TaskSpec
from runs.attempts import infra_retry_delay, launch_delay, retry_delay

DAY = 86400.0
SPREAD = 1.25

tries = st.integers(min_value=1, max_value=10_000)
seconds = st.floats(min_value=0.0, max_value=1e6, allow_nan=False)


@given(try_number=tries, delay=seconds, factor=st.floats(1.0, 10.0), cap=st.one_of(st.none(), st.floats(1.0, 1e5)))
def test_c25b_a_delay_is_never_negative_and_never_above_its_cap(
    try_number: int, delay: float, factor: float, cap: float | None
) -> None:
    task = TaskSpec(task_id="t", retry_delay=delay, retry_exponential_backoff=factor, max_retry_delay=cap)
    assert 0.0 <= retry_delay(task, try_number) <= min(cap or DAY, DAY)


@given(try_number=tries, delay=st.floats(0.1, 100.0))
def test_c25b_a_later_try_waits_at_least_as_long_but_for_the_spread(try_number: int, delay: float) -> None:
    task = TaskSpec(task_id="t", retry_delay=delay, retry_exponential_backoff=2.0)
    assert retry_delay(task, try_number + 1) * SPREAD >= retry_delay(task, try_number)


def test_c25b_the_ten_thousandth_try_waits_for_the_cap() -> None:
    task = TaskSpec(task_id="t", retry_delay=1.0, retry_exponential_backoff=2.0, max_retry_delay=600.0)
    assert retry_delay(task, 10_000) == 600.0


def test_without_back_off_every_try_waits_the_same() -> None:
    task = TaskSpec(task_id="t", retry_delay=7.0)
    assert {retry_delay(task, number) for number in (1, 2, 10_000)} == {7.0}


def test_a_task_that_left_its_dag_waits_the_default_time() -> None:
    assert retry_delay(None, 1) == 300.0


@given(number=tries)
def test_c25b_what_the_infrastructure_lost_returns_within_a_minute(number: int) -> None:
    assert 0.0 < infra_retry_delay(number) <= 60.0
    assert 0.0 < launch_delay(number) <= 60.0
