"""Decides which tables describe what runs."""

from runs.models.attempt import AttemptFields, TaskInstance, TaskInstanceHistory, TaskInstanceQuerySet
from runs.models.callback import Callback
from runs.models.dag_run import DagRun, DagRunQuerySet
from runs.models.evidence import RenderedFields, RunEvent, StateChange, TaskLease, TaskReschedule
from runs.models.pool import Pool
from runs.models.trigger import Trigger
from runs.models.xcom import XCom

__all__ = [
    "AttemptFields",
    "Callback",
    "DagRun",
    "DagRunQuerySet",
    "Pool",
    "RenderedFields",
    "RunEvent",
    "StateChange",
    "TaskInstance",
    "TaskInstanceHistory",
    "TaskInstanceQuerySet",
    "TaskLease",
    "TaskReschedule",
    "Trigger",
    "XCom",
]
