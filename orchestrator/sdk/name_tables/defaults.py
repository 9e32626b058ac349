"""Decides the constants that operators and their tests import: defaults of tasks, limits of numbers and ids, XCom keys."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.sdk.definitions.shown_words import TriggerRule, WeightRule

DEFAULT_EMAIL_ON_FAILURE = True
DEFAULT_EMAIL_ON_RETRY = True
DEFAULT_IGNORE_FIRST_DEPENDS_ON_PAST = False
DEFAULT_OWNER = "airflow"
DEFAULT_POOL_NAME = "default_pool"
DEFAULT_POOL_SLOTS = 1
DEFAULT_PRIORITY_WEIGHT = 1
DEFAULT_QUEUE = "default"
DEFAULT_RETRIES = 0
DEFAULT_RETRY_DELAY = timedelta(seconds=300)
DEFAULT_TASK_EXECUTION_TIMEOUT: timedelta | None = None
DEFAULT_TRIGGER_RULE = TriggerRule.ALL_SUCCESS
DEFAULT_WAIT_FOR_PAST_DEPENDS_BEFORE_SKIPPING = False
DEFAULT_WEIGHT_RULE = WeightRule.DOWNSTREAM

DB_SAFE_MAXIMUM = MAXIMUM_PRIORITY_WEIGHT = 2**31 - 1
DB_SAFE_MINIMUM = MINIMUM_PRIORITY_WEIGHT = -(2**31)
MAX_RETRY_DELAY = 24 * 60 * 60  # seconds
ID_LEN = 250

XCOM_SKIPMIXIN_KEY = "skipmixin_key"
XCOM_SKIPMIXIN_SKIPPED = "skipped"
XCOM_SKIPMIXIN_FOLLOWED = "followed"


def db_safe_priority(priority_weight: int) -> int:
    """Return the weight cut to what a database's integer column holds."""
    return max(DB_SAFE_MINIMUM, min(DB_SAFE_MAXIMUM, priority_weight))
