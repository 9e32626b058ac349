"""The scenarios that were recorded from Airflow 3.3.2 give the same states, tries, XComs and answers here.

`make conformance` runs them; they take some minutes and need PyPI for Airflow's example files. Each category prints
`n match, m differ`; a difference that `known_differences.py` does not explain fails.
"""

from __future__ import annotations

import pytest

from tests.deployment import Deployment
from tests.recordings.comparison import compare

#: In this order: later ones count the runs that earlier ones made.
CATEGORIES = ["contract", "dags", "runs", "sensors", "hitl", "assets", "partitions", "templating", "rest"]


@pytest.mark.timeout(1800)  # the recorder lets assets settle after each step; the first test awaits the platform besides
@pytest.mark.parametrize("category", CATEGORIES)
def test_a_recorded_category_is_as_in_airflow(platform: Deployment, category: str, capsys: pytest.CaptureFixture[str]) -> None:
    result = compare(platform.url, category)
    with capsys.disabled():
        print(f"\n{result.report()}")
    assert result.unexplained == []
    assert result.outdated == []
