"""How default arguments are written for readers, as recorded from Airflow."""

from datetime import timedelta

import pytest

from orchestrator.sdk import DAG
from orchestrator.sdk.serialization.durations import iso_duration
from orchestrator.sdk.serialization.encode import encode_dag


@pytest.mark.parametrize(
    ("length", "written"),
    [
        (timedelta(0), "PT0S"),
        (timedelta(minutes=90), "PT1H30M"),
        (timedelta(days=1, hours=2, seconds=3.5), "P1DT2H3.5S"),
        (timedelta(seconds=3.123456), "PT3.123456S"),
        (timedelta(microseconds=5), "PT0.000005S"),
        (timedelta(weeks=2), "P14D"),
        (timedelta(days=400), "P1Y35D"),
        (-timedelta(days=1, hours=2), "-P1DT2H"),
        (timedelta(seconds=-0.5), "-PT0.5S"),
    ],
)
def test_a_duration_reads_as_airflow_prints_it(length: timedelta, written: str) -> None:
    assert iso_duration(length) == written


def test_default_arguments_tell_durations_and_that_there_is_a_callback() -> None:
    given = {"retry_delay": timedelta(minutes=5), "x": {"deep": timedelta(seconds=90), "t": (1, 2)}, "retries": 2}
    made = DAG("d", schedule=None, default_args=given | {"on_failure_callback": print, "on_retry_callback": None})
    told = {"retry_delay": "PT5M", "x": {"deep": "PT1M30S", "t": [1, 2]}, "retries": 2, "has_on_failure_callback": True}
    assert encode_dag(made).default_args == told
