"""Decides the exceptions of ``airflow.exceptions`` that only servers raise; custom code names them in ``except``."""

from __future__ import annotations

from typing import NamedTuple

from orchestrator.sdk.exceptions import AirflowBadRequest, AirflowException, AirflowNotFoundException


class AirflowClearRunningTaskException(AirflowException):
    """A running task was to be cleared."""


class AirflowFileParseException(AirflowException):
    """A file of connections or variables cannot be read."""


class AirflowUnsupportedFileTypeException(AirflowException):
    """A file has another type than those that can be read."""


class DagCodeNotFound(AirflowNotFoundException):
    """There is no source for the DAG."""


class TaskInstanceNotFound(AirflowNotFoundException):
    """There is no such task instance."""


class DagRunAlreadyExists(AirflowBadRequest):
    """There is a run with that id or date already."""


class DagRunTypeNotAllowed(AirflowException):
    """The DAG does not allow runs of that kind."""


class DagNotPartitionedError(ValueError):
    """A partition was given for a DAG without partitions."""


class InvalidPartitionKeyError(ValueError):
    """A partition key cannot be used."""


class SerializationError(AirflowException):
    """A DAG cannot be serialized."""


class DeserializationError(Exception):
    """A DAG cannot be read back."""


class DeserializingResultError(ValueError):
    """The result of a task in another Python cannot be read."""


class InvalidStatsNameException(AirflowException):
    """A metric has a name that cannot be sent."""


class NotMapped(Exception):
    """The task is not mapped, and no group around it is."""


class PodMutationHookException(AirflowException):
    """The hook that may change pods failed."""


class PodReconciliationError(AirflowException):
    """Two descriptions of a pod cannot be merged."""


class UnknownExecutorException(ValueError):
    """There is no executor of that name."""


class FileSyntaxError(NamedTuple):
    """A line of a file that cannot be read."""

    line_no: int | None
    message: str
