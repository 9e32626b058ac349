"""How long to wait after a failure."""

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.kernel.backoff import delay


def test_the_delay_doubles_up_to_the_cap() -> None:
    assert [delay(attempt, 1, 60) for attempt in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_no_attempt_number_is_too_large() -> None:
    assert delay(10**9, 0.5, 60) == 60


@given(st.integers(1, 10_000), st.floats(0.01, 10), st.floats(10, 1000), st.floats(0, 1))
def test_the_delay_with_jitter_stays_between_zero_and_the_cap(attempt: int, base: float, cap: float, jitter: float) -> None:
    assert 0 <= delay(attempt, base, cap, jitter) <= cap
