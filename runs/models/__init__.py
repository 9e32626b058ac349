"""Decides which tables describe what runs."""

from runs.models.asset_event import AssetDelivery, AssetEvent, PartitionArrival, PartitionWait
from runs.models.attempt import AttemptFields, TaskInstance, TaskInstanceHistory, TaskInstanceQuerySet
from runs.models.backfill import Backfill, BackfillRun
from runs.models.bulk_action import BulkAction, BulkFailure, BulkPart
from runs.models.callback import AlertMute, Callback
from runs.models.dag_run import DagRun, DagRunQuerySet
from runs.models.deadline import Deadline
from runs.models.evidence import RenderedFields, RunEvent, StateChange, TaskLease, TaskReschedule
from runs.models.hitl import HITLDetail
from runs.models.hold import Hold
from runs.models.pool import Pool
from runs.models.stores import AssetState, TaskState
from runs.models.trigger import Trigger
from runs.models.xcom import XCom

__all__ = [
    "AlertMute",
    "AssetDelivery",
    "AssetEvent",
    "AssetState",
    "AttemptFields",
    "Backfill",
    "BackfillRun",
    "BulkAction",
    "BulkFailure",
    "BulkPart",
    "Callback",
    "DagRun",
    "DagRunQuerySet",
    "Deadline",
    "HITLDetail",
    "Hold",
    "PartitionArrival",
    "PartitionWait",
    "Pool",
    "RenderedFields",
    "RunEvent",
    "StateChange",
    "TaskInstance",
    "TaskInstanceHistory",
    "TaskInstanceQuerySet",
    "TaskLease",
    "TaskReschedule",
    "TaskState",
    "Trigger",
    "XCom",
]
