"""Decides when a DAG runs: Airflow's timetables, without Django and without input or output."""

from orchestrator.sdk.definitions.timetables.base import (
    AirflowTimetableInvalid,
    DagRunInfo,
    DataInterval,
    TimeRestriction,
    Timetable,
)
from orchestrator.sdk.definitions.timetables.codec import (
    decode_timetable,
    encode_timetable,
    register_timetable,
    timetable_from_schedule,
    unknown_timetables,
)
from orchestrator.sdk.definitions.timetables.events import EventsTimetable
from orchestrator.sdk.definitions.timetables.interval import CronDataIntervalTimetable, DeltaDataIntervalTimetable
from orchestrator.sdk.definitions.timetables.multiple import MultipleCronTriggerTimetable
from orchestrator.sdk.definitions.timetables.partition import CronPartitionTimetable
from orchestrator.sdk.definitions.timetables.presets import CRON_PRESETS
from orchestrator.sdk.definitions.timetables.simple import (
    AssetTriggeredTimetable,
    ContinuousTimetable,
    NullTimetable,
    OnceTimetable,
    PartitionedAtRuntime,
)
from orchestrator.sdk.definitions.timetables.trigger import CronTriggerTimetable, DeltaTriggerTimetable

__all__ = [
    "CRON_PRESETS",
    "AirflowTimetableInvalid",
    "AssetTriggeredTimetable",
    "ContinuousTimetable",
    "CronDataIntervalTimetable",
    "CronPartitionTimetable",
    "CronTriggerTimetable",
    "DagRunInfo",
    "DataInterval",
    "DeltaDataIntervalTimetable",
    "DeltaTriggerTimetable",
    "EventsTimetable",
    "MultipleCronTriggerTimetable",
    "NullTimetable",
    "OnceTimetable",
    "PartitionedAtRuntime",
    "TimeRestriction",
    "Timetable",
    "decode_timetable",
    "encode_timetable",
    "register_timetable",
    "timetable_from_schedule",
    "unknown_timetables",
]
