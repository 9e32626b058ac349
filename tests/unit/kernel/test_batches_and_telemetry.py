"""Batches and counters."""

from orchestrator.kernel import telemetry
from orchestrator.kernel.batches import chunks, repeat_until_short


def test_chunks_keep_order_and_size() -> None:
    assert [list(chunk) for chunk in chunks([1, 2, 3, 4, 5], 2)] == [[1, 2], [3, 4], [5]]
    assert list(chunks([], 2)) == []


def test_batches_end_when_one_is_short_or_the_rounds_are_over() -> None:
    left = [5]

    def step(size: int) -> int:
        done = min(size, left[0])
        left[0] -= done
        return done

    assert repeat_until_short(step, 2, rounds=10) == (5, False)
    left[0] = 100
    assert repeat_until_short(step, 2, rounds=3) == (6, True)


def test_counts_gauges_and_timings_are_kept_by_name_and_tags() -> None:
    telemetry.reset()
    telemetry.count("tasks", state="success")
    telemetry.count("tasks", 2, state="success")
    telemetry.gauge("open", 3)
    telemetry.timing("round", 0.5)
    telemetry.timing("round", 1.5)
    counters, gauges, timings = telemetry.snapshot()
    assert counters[("tasks", (("state", "success"),))] == 3
    assert gauges[("open", ())] == 3
    assert timings[("round", ())] == (2, 2.0, 1.5)
