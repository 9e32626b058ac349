"""Decides how one attempt runs in this process: what it is told, which of its words are kept, what it leaves behind."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from typing import Any

from orchestrator.sdk.execution.channel import Message
from orchestrator.sdk.testing.clock import TravelClock
from orchestrator.sdk.testing.store import Store, TaskResult
from orchestrator.sdk.testing.store_channel import StoreChannel

Record = dict[str, Any]
VERSION_ID = "00000000-0000-7000-8000-000000000000"


def run_attempt(
    dag: Any, instance: TaskResult, store: Store, clock: TravelClock, on_log: Callable[[Record], None]
) -> StoreChannel:
    """Run one attempt of a task instance in this process; its run must be in the store. Returns the channel it spoke to.

    ``instance`` gets the exception, the log records and the dates of the attempt. Raises whatever is not the task's
    fault, such as ``UnknownMessageError``.
    """
    from orchestrator.sdk.execution.task_runner import run_task

    channel = StoreChannel(store, instance, clock, on_log)
    instance.exception = None
    if not instance.next_method:
        instance.start_date = clock.now()
    shown, printed = clock.shown_to(dag.task_dict.get(instance.task_id)), redirect_stdout(_Tee(sys.stdout, instance))
    with _kept_environment(), _exceptions_of(instance), shown, printed:
        run_task(startup_of(dag, instance, store), channel, dag)
    instance.end_date = clock.now()
    return channel


def startup_of(dag: Any, instance: TaskResult, store: Store) -> dict[str, Any]:
    """Return what a supervisor would tell the task's process."""
    run = store.runs[instance.dag_id, instance.run_id]
    names = {"task_id": instance.task_id, "dag_id": instance.dag_id, "run_id": instance.run_id}
    ti = {"id": instance.id, **names, "map_index": instance.map_index, "try_number": instance.try_number}
    started = instance.start_date.isoformat() if instance.start_date else datetime.now(UTC).isoformat()
    return {
        "ti": {**ti, "dag_version_id": VERSION_ID, "hostname": "localhost"},
        "dag_rel_path": os.path.basename(dag.fileloc or ""),
        "bundle_info": {"name": "dags-folder", "version": None, "folder": os.path.dirname(dag.fileloc or "")},
        "start_date": started,
        "ti_context": {"dag_run": run, **_told(instance, store)},
        "sentry_integration": "",
    }


def _told(instance: TaskResult, store: Store) -> dict[str, Any]:
    told: dict[str, Any] = {
        "max_tries": instance.max_tries,
        "should_retry": instance.max_tries != 0 and instance.try_number <= instance.max_tries,
        "task_reschedule_count": instance.pokes,
    }
    if instance.next_method:
        first = instance.start_date.isoformat() if instance.start_date else None
        return {**told, "next_method": instance.next_method, "next_kwargs": instance.next_kwargs, "start_date": first}
    return {**told, "xcom_keys_to_clear": [place[4] for place in store.xcoms if place[:4] == instance.place]}


class _Tee(io.TextIOBase):
    """Passes on what the task prints, and keeps its lines as log records."""

    def __init__(self, stream: Any, instance: TaskResult) -> None:
        self._stream, self._instance, self._rest = stream, instance, ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        at = datetime.now(UTC).isoformat()
        for line in lines:
            self._instance.logs.append({"timestamp": at, "level": "info", "event": line, "logger": "task.stdout"})
        return int(self._stream.write(text))

    def flush(self) -> None:
        self._stream.flush()

    def fileno(self) -> int:
        return int(self._stream.fileno())

    def isatty(self) -> bool:
        return bool(self._stream.isatty())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def _kept_environment() -> Iterator[None]:
    """Leave the variables by which programs learn of the task as they were."""
    before = {name: value for name, value in os.environ.items() if name.startswith("AIRFLOW_CTX_")}
    try:
        yield
    finally:
        for name in [name for name in os.environ if name.startswith("AIRFLOW_CTX_")]:
            del os.environ[name]
        os.environ.update(before)


@contextmanager
def _exceptions_of(instance: TaskResult) -> Iterator[None]:
    """Keep the exception that the task's runner logs."""

    def keep(record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], BaseException):
            instance.exception = record.exc_info[1]
        return True

    logger = logging.getLogger("task")
    logger.addFilter(keep)
    try:
        yield
    finally:
        logger.removeFilter(keep)


def final_of(channel: StoreChannel) -> Message:
    """Return the attempt's last word; raises ``RuntimeError`` if it said none."""
    if channel.final is None:
        raise RuntimeError(f"Task {channel.instance.label} ended without a word about its outcome.")
    return channel.final
