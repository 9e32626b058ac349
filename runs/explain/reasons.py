"""Decides which reasons there are for a wait; the words that rows store in ``wait_reason`` are among them."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a task instance, a run or the next run of a DAG does not go on. Imports nothing, so that anybody may name one."""

    # the platform
    SCHEDULER_DOWN = "scheduler_down"
    TRIGGERER_DOWN = "triggerer_down"
    NO_WORKER = "no_worker"
    NO_EXECUTOR = "no_executor"
    # the DAG
    DAG_GONE = "dag_gone"
    DAG_PAUSED = "dag_paused"
    DAG_STALE = "dag_stale"
    IMPORT_ERROR = "import_error"
    NO_VERSION = "no_version"
    SET_ASIDE = "set_aside"
    NOT_SCHEDULED = "not_scheduled"
    SCHEDULE_OFF = "schedule_off"
    NEXT_RUN = "next_run"
    ABOUT_TO_CREATE = "about_to_create"
    ASSETS_MISSING = "assets_missing"
    PARTITION_KEYS = "partition_keys"
    EVENT_WINDOW = "event_window"
    EVENTS_STARTED_NOTHING = "events_started_nothing"
    # the run
    HELD = "held"
    RUN_AFTER = "run_after"
    RUN_LIMIT = "max_active_runs"
    OVERLAP = "overlap_policy"
    BACKFILL_PAUSED = "backfill_paused"
    BACKFILL_LIMIT = "backfill_limit"
    ABOUT_TO_START = "about_to_start"
    TASKS_RUNNING = "tasks_running"
    ABOUT_TO_END = "about_to_end"
    FINISHED = "finished"
    # decided by the states around a task instance
    UPSTREAM = "upstream"
    SETUP = "setup"
    TEARDOWN_SCOPE = "teardown_scope"
    MAPPED_INPUT = "mapped_input"
    UPSTREAM_REMOVED = "upstream_removed"
    PAST = "depends_on_past"
    PAST_DEADLOCK = "depends_on_past_deadlock"
    TASK_GONE = "task_gone"
    ABOUT_TO_DECIDE = "about_to_decide"
    # scheduled
    SLOTS = "slots"  # as stored: one of the next eight, worked out when somebody asks
    UNKNOWN_POOL = "unknown_pool"
    POOL_TOO_SMALL = "pool_too_small"
    POOL_FULL = "pool_full"
    TASK_LIMIT = "max_active_tasks"
    TASK_LIMIT_PER_DAG = "max_active_tis_per_dag"
    TASK_LIMIT_PER_RUN = "max_active_tis_per_dagrun"
    PARALLELISM = "parallelism"
    ABOUT_TO_QUEUE = "about_to_queue"
    LAUNCH = "launch"
    PREVIOUS_ATTEMPT = "previous_attempt"
    # further on
    EXECUTOR = "executor"
    RETRY_AT = "retry_at"
    RESCHEDULE = "reschedule"
    TRIGGER = "trigger"
    INPUT = "input"
    RUNNING = "running"
