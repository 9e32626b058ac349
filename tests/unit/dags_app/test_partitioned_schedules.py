"""Which schedules the REST API calls partitioned: those that give runs their keys, as recorded from Airflow."""

import pytest

from dags_app.api.schemas import is_partitioned
from dags_app.models import Dag


@pytest.mark.parametrize(
    ("timetable", "told"),
    [
        ("CronPartitionTimetable", True),
        ("PartitionedAssetTimetable", True),
        ("PartitionedAtRuntime", False),
        ("plugins.mine.ScheduledRuntimePartitionTimetable", False),
        ("CronTriggerTimetable", False),
        ("", False),
    ],
)
def test_only_schedules_that_give_runs_their_keys_are_partitioned(timetable: str, told: bool) -> None:
    assert is_partitioned(Dag(dag_id="d", timetable_type=timetable)) is told
