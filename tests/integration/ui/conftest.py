"""Decides what the page tests share: the live feed, which reads by the clock, stays out of what they count."""

import pytest

from runs.live import feed


@pytest.fixture(autouse=True)
def _no_reading_of_changes() -> None:
    """Let the feed believe that it has just read; tests of the feed itself have it forget that."""
    feed.forget()
    feed._read_at = float("inf")
