"""Decides the exceptions of the standard provider."""

from orchestrator.sdk.exceptions import AirflowException


class AirflowExternalTaskSensorException(AirflowException):
    """Base of what an ExternalTaskSensor raises."""


class ExternalDagNotFoundError(AirflowExternalTaskSensorException):
    """The other DAG does not exist."""


class ExternalDagDeletedError(AirflowExternalTaskSensorException):
    """The other DAG was deleted."""


class ExternalTaskNotFoundError(AirflowExternalTaskSensorException):
    """The other task does not exist."""


class ExternalTaskGroupNotFoundError(AirflowExternalTaskSensorException):
    """The other task group does not exist."""


class ExternalTaskFailedError(AirflowExternalTaskSensorException):
    """The other task failed."""


class ExternalTaskGroupFailedError(AirflowExternalTaskSensorException):
    """The other task group failed."""


class ExternalDagFailedError(AirflowExternalTaskSensorException):
    """The other run failed."""


class DuplicateStateError(AirflowExternalTaskSensorException):
    """A state stands in two lists."""


class HITLTriggerEventError(Exception):
    """The wait for a person failed."""


class HITLTimeoutError(HITLTriggerEventError):
    """Nobody answered in time."""


class HITLRejectException(AirflowException):
    """A person rejected."""
