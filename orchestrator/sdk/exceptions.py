"""Decides which exceptions an author raises or sees, under Airflow's names.

More than 300 lines because it is one list of small classes.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import Enum
from http import HTTPStatus
from typing import Any

Serialized = tuple[str, tuple[Any, ...], dict[str, Any]]


class AirflowException(Exception):
    """Base of all errors of this platform that an author may catch."""

    status_code = HTTPStatus.INTERNAL_SERVER_ERROR

    def serialize(self) -> Serialized:
        """Return import path, positional arguments and keyword arguments that build this error again."""
        return _path(self), (str(self),), {}


class AirflowNotFoundException(AirflowException):
    """A connection, variable or other named thing does not exist."""

    status_code = HTTPStatus.NOT_FOUND


class AirflowBadRequest(AirflowException):
    """The request has a value that the server cannot accept."""

    status_code = HTTPStatus.BAD_REQUEST


class AirflowConfigException(AirflowException):
    """An option is missing or has a value that cannot be read."""


class AirflowClusterPolicyViolation(AirflowException):
    """A DAG or task breaks a cluster policy."""


class AirflowClusterPolicySkipDag(AirflowException):
    """A cluster policy leaves this DAG out."""


class AirflowClusterPolicyError(AirflowException):
    """A cluster policy failed itself."""


class AirflowDagCycleException(AirflowException):
    """The tasks of a DAG depend on each other in a circle."""


class AirflowDagDuplicatedIdException(AirflowException):
    """Two files define the same dag_id."""

    def __init__(self, dag_id: str, incoming: str, existing: str) -> None:
        super().__init__(f"DAG {dag_id!r} is defined in {existing} and again in {incoming}. Rename one of them.")
        self.dag_id, self.incoming, self.existing = dag_id, incoming, existing


class AirflowSkipException(AirflowException):
    """Raise in a task to end it as skipped."""


class AirflowFailException(AirflowException):
    """Raise in a task to end it as failed, without retries."""


class AirflowTaskTimeout(BaseException):
    """The task ran longer than its ``execution_timeout``."""


class AirflowTaskTerminated(BaseException):
    """The task was told to stop from outside."""


class AirflowSensorTimeout(AirflowException):
    """A sensor waited longer than its ``timeout``."""


class AirflowTimetableInvalid(AirflowException):
    """The schedule of a DAG cannot be used."""


class AirflowInternalRuntimeError(BaseException):
    """A fault in the platform itself; never caught by a task."""


class AirflowOptionalProviderFeatureException(AirflowException):
    """A feature needs a package that is not installed."""


class DeprecatedImportWarning(FutureWarning):
    """Something is imported from an old place."""


class AirflowProviderDeprecationWarning(DeprecationWarning):
    """A provider feature goes away in a later release."""


class RemovedInAirflow4Warning(DeprecationWarning):
    """A feature goes away in the next major release."""

    deprecated_since: str | None = None


class AirflowSecretsBackendAccessDenied(PermissionError):
    """A secrets backend refused the request."""


class AirflowRescheduleException(AirflowException):
    """Raise in a sensor to be called again at ``reschedule_date`` (aware datetime)."""

    def __init__(self, reschedule_date: datetime) -> None:
        super().__init__(f"reschedule at {reschedule_date}")
        self.reschedule_date = reschedule_date

    def serialize(self) -> Serialized:
        """Return the parts with the date by name."""
        return _path(self), (), {"reschedule_date": self.reschedule_date}


class DuplicateTaskIdFound(AirflowException):
    """Two tasks of a DAG have the same id."""


class TaskAlreadyInTaskGroup(AirflowException):
    """A task is added to a second task group."""

    def __init__(self, task_id: str, existing_group_id: str | None, new_group_id: str) -> None:
        where = f"task group {existing_group_id!r}" if existing_group_id else "the DAG itself"
        super().__init__(f"Task {task_id!r} is already in {where}; it cannot be added to task group {new_group_id!r} too.")
        self.task_id, self.existing_group_id, self.new_group_id = task_id, existing_group_id, new_group_id


class TaskAlreadyRunningError(AirflowException):
    """Another process runs this attempt."""


class TaskNotFound(AirflowException):
    """The DAG has no task with that id."""


class NodeNotFound(TaskNotFound, KeyError):
    """The DAG has no task or group with that id."""

    __str__ = Exception.__str__


class DagNotFound(AirflowNotFoundException):
    """There is no DAG with that id."""


class DagRunNotFound(AirflowNotFoundException):
    """There is no run with that id."""


class ParamValidationError(AirflowException, ValueError):
    """A param has no value or one that its schema does not allow."""


class FailFastDagInvalidTriggerRule(AirflowException):
    """A DAG with ``fail_fast`` has a task whose trigger rule cannot work with it."""

    _allowed_rules = ("all_success", "all_done_setup_success")

    @classmethod
    def check(cls, *, fail_fast: bool, trigger_rule: str) -> None:
        """Raise if the rule cannot be used in a fail-fast DAG."""
        if fail_fast and str(trigger_rule) not in cls._allowed_rules:
            raise cls(
                f"A DAG with fail_fast=True takes only the trigger rules {', '.join(cls._allowed_rules)}, not {trigger_rule}."
            )


class XComNotFound(AirflowException):
    """The wanted XCom was not pushed."""

    def __init__(self, dag_id: str, task_id: str, key: str) -> None:
        super().__init__()
        self.dag_id, self.task_id, self.key = dag_id, task_id, key

    def __str__(self) -> str:
        return f"Task {self.task_id!r} of DAG {self.dag_id!r} has pushed no XCom with key {self.key!r}."

    def serialize(self) -> Serialized:
        """Return the parts by name."""
        return _path(self), (), {"dag_id": self.dag_id, "task_id": self.task_id, "key": self.key}


class UnmappableXComTypePushed(TypeError):
    """A task that others map over pushed something that is neither a list nor a dict."""

    def __init__(self, value: Any, *values: Any) -> None:
        super().__init__(value, *values)

    def __str__(self) -> str:
        return f"A value to map over must be a list or a dict, not {type(self.args[0]).__qualname__}: {self.args[0]!r:.200}"


class XComForMappingNotPushed(TypeError):
    """A task that others map over pushed nothing."""

    def __str__(self) -> str:
        return "The task that is mapped over pushed no value; return a list or a dict from it."


class UnmappableXComLengthPushed(AirflowException):
    """A task that others map over pushed more items than ``max_map_length``."""


class DownstreamTasksSkipped(AirflowException):
    """Ends a task as success and skips ``tasks`` (ids, or pairs of id and map index)."""

    def __init__(self, *, tasks: Collection[str | tuple[str, int]]) -> None:
        super().__init__(f"skip {', '.join(map(str, tasks))}")
        self.tasks = tasks


class DagRunTriggerException(AirflowException):
    """Asks the task runner to start a run of another DAG; the arguments are those of TriggerDagRunOperator."""

    def __init__(
        self,
        *,
        trigger_dag_id: str,
        dag_run_id: str,
        conf: dict[str, Any] | None,
        logical_date: datetime | None = None,
        run_after: datetime | None = None,
        reset_dag_run: bool,
        skip_when_already_exists: bool,
        wait_for_completion: bool,
        allowed_states: list[str],
        failed_states: list[str],
        poke_interval: int,
        deferrable: bool,
        note: str | None = None,
    ) -> None:
        super().__init__(f"trigger DAG {trigger_dag_id!r}, run {dag_run_id!r}")
        self.trigger_dag_id, self.dag_run_id, self.conf = trigger_dag_id, dag_run_id, conf
        self.logical_date, self.run_after, self.note = logical_date, run_after, note
        self.reset_dag_run, self.skip_when_already_exists = reset_dag_run, skip_when_already_exists
        self.wait_for_completion, self.deferrable, self.poke_interval = wait_for_completion, deferrable, poke_interval
        self.allowed_states, self.failed_states = allowed_states, failed_states


class TaskDeferred(BaseException):
    """Hands the wait of this task to a trigger; ``timeout`` is seconds or a timedelta."""

    def __init__(
        self,
        *,
        trigger: Any,
        method_name: str,
        kwargs: dict[str, Any] | None = None,
        timeout: timedelta | float | None = None,
    ) -> None:
        super().__init__()
        self.trigger, self.method_name, self.kwargs = trigger, method_name, kwargs
        self.timeout = timedelta(seconds=timeout) if isinstance(timeout, int | float) else timeout
        if self.timeout is not None and not isinstance(self.timeout, timedelta):
            raise ValueError(f"timeout of a deferral must be seconds or a timedelta, not {timeout!r}")

    def serialize(self) -> Serialized:
        """Return the parts by name."""
        parts = {"trigger": self.trigger, "method_name": self.method_name, "kwargs": self.kwargs, "timeout": self.timeout}
        return _path(self), (), parts

    def __repr__(self) -> str:
        return f"<TaskDeferred trigger={self.trigger} method={self.method_name}>"


class TaskAwaitingInput(BaseException):
    """Hands the wait of this task to a person."""

    def __init__(self, *, method_name: str, kwargs: dict[str, Any] | None = None, timeout: timedelta | None = None) -> None:
        super().__init__()
        self.method_name, self.kwargs, self.timeout = method_name, kwargs, timeout


class TaskDeferralError(AirflowException):
    """The trigger of a deferred task failed."""


class TaskDeferralTimeout(AirflowException):
    """A deferred task waited longer than its timeout."""


class PoolNotFound(AirflowNotFoundException):
    """There is no pool with that name."""


class VariableNotUnique(AirflowException):
    """More than one variable has that key."""


class ConnectionNotUnique(AirflowException):
    """More than one connection has that id."""


class ErrorType(Enum):
    """Words of the Execution API for what went wrong."""

    CONNECTION_NOT_FOUND = "CONNECTION_NOT_FOUND"
    VARIABLE_NOT_FOUND = "VARIABLE_NOT_FOUND"
    XCOM_NOT_FOUND = "XCOM_NOT_FOUND"
    ASSET_NOT_FOUND = "ASSET_NOT_FOUND"
    TASK_STORE_NOT_FOUND = "TASK_STORE_NOT_FOUND"
    ASSET_STORE_NOT_FOUND = "ASSET_STORE_NOT_FOUND"
    DAGRUN_ALREADY_EXISTS = "DAGRUN_ALREADY_EXISTS"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    GENERIC_ERROR = "GENERIC_ERROR"
    API_SERVER_ERROR = "API_SERVER_ERROR"


class AirflowRuntimeError(Exception):
    """The server answered a task's request with an error; ``error`` has ``error`` (ErrorType) and ``detail``."""

    def __init__(self, error: Any) -> None:
        kind = getattr(error, "error", error)
        detail = getattr(error, "detail", None)
        super().__init__(f"{getattr(kind, 'value', kind)}: {detail}")
        self.error = error


class AirflowInactiveAssetInInletOrOutletException(AirflowFailException):
    """The task reads or writes assets that no active DAG defines."""

    main_message = "The task's inlets or outlets have assets that are not active"

    def __init__(self, inactive_asset_keys: Collection[Any]) -> None:
        self.inactive_asset_keys = inactive_asset_keys
        super().__init__(f"{self.main_message}: {self.inactive_assets_message}")

    @property
    def inactive_assets_message(self) -> str:
        """Return the assets in words."""
        return ", ".join(str(key) for key in self.inactive_asset_keys)


def _path(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"
