"""Decides what acceptance tests share: a platform each, one such test at a time."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deployment import Deployment
from tests.faults.platform import Platform


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep these tests in one worker of xdist, as those of faults are in another: each needs much of the machine, and time."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("acceptance"))
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture
def platform(deployment: Deployment) -> Iterator[Platform]:
    """Give a platform with nothing started; all of it ends with the test."""
    made = Platform(deployment)
    yield made
    made.stop()
