"""Decides how acceptance tests run: one at a time, with much time."""

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep these tests in one worker of xdist, as those of faults are in another: each needs much of the machine, and time."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("acceptance"))
            item.add_marker(pytest.mark.timeout(600))
