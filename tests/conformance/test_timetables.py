"""Decides whether the timetables give the answers recorded from Airflow 3.3.2 (`timetables_golden.json`)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from dateutil.relativedelta import relativedelta

from orchestrator.sdk.definitions.timetables import (
    ContinuousTimetable,
    CronDataIntervalTimetable,
    CronPartitionTimetable,
    CronTriggerTimetable,
    DeltaDataIntervalTimetable,
    DeltaTriggerTimetable,
    EventsTimetable,
    MultipleCronTriggerTimetable,
    NullTimetable,
    OnceTimetable,
    TimeRestriction,
    decode_timetable,
    encode_timetable,
    timetable_from_schedule,
)
from tests.oracle import oracle_json

STEPS = 5

BUILD = {
    "cron_trigger": lambda cron, zone: CronTriggerTimetable(cron, timezone=zone),
    "cron_interval": lambda cron, zone: CronDataIntervalTimetable(cron, zone),
    "cron_trigger_iv": lambda cron, zone, s: CronTriggerTimetable(cron, timezone=zone, interval=timedelta(seconds=s)),
    "cron_trigger_rd": lambda cron, zone, parts: CronTriggerTimetable(cron, timezone=zone, interval=relativedelta(**parts)),
    "cron_trigger_ri": lambda cron, zone, rule: CronTriggerTimetable(
        cron, timezone=zone, run_immediately=rule if rule is None or isinstance(rule, bool) else timedelta(seconds=rule)
    ),
    "multi_cron": lambda crons, zone: MultipleCronTriggerTimetable(*crons, timezone=zone),
    "delta_trigger": lambda parts, zone: DeltaTriggerTimetable(timedelta(**parts)),
    "delta_trigger_iv": lambda parts, zone, s: DeltaTriggerTimetable(timedelta(**parts), interval=timedelta(seconds=s)),
    "delta_interval": lambda parts, zone: DeltaDataIntervalTimetable(timedelta(**parts)),
    "rdelta_trigger": lambda parts, zone: DeltaTriggerTimetable(relativedelta(**parts)),
    "rdelta_interval": lambda parts, zone: DeltaDataIntervalTimetable(relativedelta(**parts)),
    "events": lambda dates, restrict: EventsTimetable([instant(date) for date in dates], restrict_to_events=restrict),
    "once": OnceTimetable,
    "continuous": ContinuousTimetable,
    "none": NullTimetable,
    "cron_partition": lambda cron, zone, offset, key_format: CronPartitionTimetable(
        cron, timezone=zone, run_offset=offset, key_format=key_format
    ),
}


def instant(seconds):
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def build(spec):
    """The timetable of a vector, after a round trip through JSON as the server sees it."""
    return decode_timetable(json.loads(json.dumps(encode_timetable(BUILD[spec[0]](*spec[1:])))))


def answer(info):
    return [info.logical_date, *info.data_interval, info.run_after] if info else None


def seconds(row):
    return [moment.timestamp() for moment in row] if isinstance(row, list) else row


def failure(error):
    return {"error": type(error).__name__, "msg": str(error)[:120]}


def consecutive(timetable, vector, now, advance):
    """The next runs, one after the other; ``advance`` moves the clock to each run."""
    restriction = TimeRestriction(instant(vector["e"]), instant(vector["l"]), bool(vector["c"]))
    rows, last = [], None
    for _ in range(STEPS):
        try:
            with time_machine.travel(now, tick=False):
                info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        except Exception as error:
            return [*rows, failure(error)]
        rows.append(seconds(answer(info)))
        if info is None:
            return rows
        last, now = info.data_interval, info.run_after if advance else now
    return rows


def manual_moment(vector):
    """The moment at which the recorder asked for the interval of a manual run."""
    kind, now, earliest = vector["t"][0], vector["n"], vector["e"]
    if kind in ("once", "continuous", "none"):
        return now
    return earliest if earliest is not None else now + 86400 if kind == "events" else now


def manual(vector):
    try:
        interval = build(vector["t"]).infer_manual_data_interval(run_after=instant(manual_moment(vector)))
    except Exception as error:
        return failure(error)
    return seconds(list(interval))


def differences(vectors, actual, expected):
    return [
        (vector["t"], vector["n"], got, expected(vector)) for vector in vectors if (got := actual(vector)) != expected(vector)
    ]


@pytest.fixture(scope="module")
def golden():
    return oracle_json("timetables_golden.json")


@pytest.mark.parametrize("kind", sorted(set(BUILD) - {"cron_partition"}))
def test_consecutive_runs_are_those_of_airflow(golden, kind):
    vectors = [vector for vector in golden["vectors"] if vector["t"][0] == kind]
    assert vectors
    assert differences(vectors, lambda v: consecutive(build(v["t"]), v, instant(v["n"]), False), lambda v: v["r"]) == []


def test_runs_on_a_moving_clock_are_those_of_airflow(golden):
    vectors = [vector for vector in golden["vectors"] if vector.get("adv")]
    assert vectors
    assert differences(vectors, lambda v: consecutive(build(v["t"]), v, instant(v["n"]), True), lambda v: v["adv"]) == []


def test_intervals_of_manual_runs_are_those_of_airflow(golden):
    vectors = [vector for vector in golden["vectors"] if "m" in vector]
    assert vectors
    assert differences(vectors, manual, lambda v: v["m"]) == []


def partitions(vector):
    restriction, last, rows = TimeRestriction(instant(vector["e"]), None, bool(vector["c"])), None, []
    timetable = build(vector["t"])
    with time_machine.travel(instant(vector["n"]), tick=False):
        for _ in vector["r"]:
            last = timetable.next_dagrun_info_v2(last_dagrun_info=last, restriction=restriction)
            rows.append([last.run_after.timestamp(), last.partition_date.timestamp(), last.partition_key, last.data_interval])
    return rows


def test_partition_keys_are_those_of_airflow(golden):
    assert differences(golden["partition"], partitions, lambda v: v["r"]) == []


def schedule_of(text):
    """The recorder wrote durations as their ``repr``."""
    durations = {
        "datetime.timedelta(0)": timedelta(0),
        "datetime.timedelta(seconds=14400)": timedelta(seconds=14400),
        "relativedelta()": relativedelta(),
        "relativedelta(days=-1)": relativedelta(days=-1),
    }
    return durations.get(text, text)


def verdict(schedule):
    try:
        timetable = timetable_from_schedule(schedule_of(schedule))
    except ValueError as error:
        return {"create_error": type(error).__name__, "msg": str(error), "schedule": schedule}
    facts = {
        "class": type(timetable).__name__,
        "description": timetable.description,
        "schedule": schedule,
        "summary": timetable.summary,
        "valid": True,
    }
    try:
        timetable.validate()
    except Exception as error:
        facts |= {"valid": False, "error": type(error).__name__, "msg": str(error)}
    return facts


def test_schedules_are_judged_and_described_as_airflow_does(golden):
    wanted = [{key: value for key, value in row.items() if key != "sdk_class"} for row in golden["validation"]]
    assert [verdict(row["schedule"]) for row in wanted] == wanted


def test_cron_expressions_read_as_airflow_words_them():
    told = json.loads((Path(__file__).parent / "data" / "cron_descriptions_golden.json").read_text())
    assert {cron: CronTriggerTimetable(cron, timezone="UTC").description for cron in told} == told
