"""Decides the words for why an attempt ended, and which of them are the platform's fault and not the author's."""

from enum import StrEnum
from typing import Final


class Cause(StrEnum):
    """Why an attempt ended or was taken away; stored beside the state as evidence."""

    USER_EXCEPTION = "user_exception"
    FAIL_EXCEPTION = "fail_exception"
    SKIP = "skip"
    EXECUTION_TIMEOUT = "execution_timeout"
    EXIT_CODE = "exit_code"
    SIGNAL = "signal"
    OUT_OF_MEMORY = "out_of_memory"
    DAG_IMPORT_ERROR = "dag_import_error"
    DAG_NOT_FOUND = "dag_not_found"
    TASK_NOT_FOUND = "task_not_found"
    HOST_DIED = "host_died"
    SUPERVISOR_DIED = "supervisor_died"
    EVICTED = "evicted"
    LEASE_LOST = "lease_lost"
    LAUNCH_ERROR = "launch_error"
    LAUNCH_IMPOSSIBLE = "launch_impossible"
    QUEUE_TIMEOUT = "queue_timeout"
    DAGRUN_TIMEOUT = "dagrun_timeout"
    CLEARED = "cleared"
    MARKED = "marked"
    VERSION_CHANGED = "version_changed"
    HEARTBEAT_TIMEOUT = "heartbeat_timeout"
    REPORT_LOST = "report_lost"


# These spend the infrastructure retry budget ([scheduler] max_infra_retries), never the author's `retries`.
INFRA_CAUSES: Final[frozenset[Cause]] = frozenset(
    {
        Cause.HOST_DIED,
        Cause.SUPERVISOR_DIED,
        Cause.EVICTED,
        Cause.LEASE_LOST,
        Cause.HEARTBEAT_TIMEOUT,
        Cause.LAUNCH_ERROR,
        Cause.REPORT_LOST,
    }
)
