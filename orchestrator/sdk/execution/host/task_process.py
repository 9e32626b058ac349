"""Decides how a forked child turns into the process of one attempt, and how that process ends."""

from __future__ import annotations

import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from orchestrator.kernel.faults import fault_point
from orchestrator.sdk.definitions.context import DAG_ID_VARIABLE, TASK_ID_VARIABLE
from orchestrator.sdk.execution.frames import Channel, ChannelClosed, Message
from orchestrator.sdk.execution.host.loading import LoadError
from orchestrator.sdk.execution.startup import StartupDetails
from orchestrator.sdk.execution.supervisor.processes import die_with_parent

CANNOT_START = 1


def become_task(dags: dict[str, Any], attempt: Message, descriptors: list[int], parent: int) -> NoReturn:
    """Run one attempt in this child of a host and end the process; nothing that the host set up runs at its end."""
    code = CANNOT_START
    try:
        die_with_parent(parent)
        fault_point("task.after_fork")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        code = run_attempt(lambda: dags, attempt, descriptors)
    except BaseException:
        traceback.print_exc()
    finally:
        leave(code)


def leave(code: int) -> NoReturn:
    """End the process at once: what was printed goes out, no exit handler of the host runs."""
    fault_point("task.before_exit")
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue
    os._exit(code)


def run_attempt(load: Callable[[], dict[str, Any]], attempt: Message, descriptors: list[int]) -> int:
    """Wait for the startup details, run the task, and return the exit code."""
    channel_fd, out, err = descriptors
    os.setsid()
    connect_streams(out, err)
    channel = Channel(socket.socket(fileno=channel_fd))
    fault_point("task.before_startup")
    try:
        startup = channel.receive()
    except ChannelClosed:
        return 0  # the supervisor does not want the attempt any more
    fault_point("task.before_run")
    set_task_environment(startup)
    try:
        return _run(load, startup, channel)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)


def _run(load: Callable[[], dict[str, Any]], startup: Message, channel: Channel) -> int:
    dag_id = startup["ti"]["dag_id"]
    try:
        with parsing_for(startup["ti"]):
            dags = load()
    except LoadError as error:
        say_missing(channel, error.cause, str(error))
        return CANNOT_START
    if dag_id not in dags:
        say_missing(channel, "dag_not_found", f"The DAG {dag_id!r} is not in the file; it has {sorted(dags)}.")
        return CANNOT_START
    from orchestrator.sdk.execution.callbacks import leave_alerts_to_server
    from orchestrator.sdk.execution.task_runner import run_task  # late: it is large, and the zygote has it already

    leave_alerts_to_server()
    return int(run_task(StartupDetails.from_json(startup), channel, dags[dag_id]) or 0)


def say_missing(channel: Channel, cause: str, detail: str) -> None:
    """Write an error into the task's log and end the attempt as failed with that cause."""
    channel.send({"type": "Log", "record": {"level": "error", "event": detail, "logger": "task"}})
    channel.send({"type": "EndWithCause", "cause": cause, "cause_detail": detail})


def connect_streams(out: int, err: int) -> None:
    """Let stdout and stderr go to the supervisor line by line, and stdin read nothing."""
    for source, target in ((out, 1), (err, 2)):
        os.dup2(source, target)
        os.close(source)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.stdout = open(1, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115


@contextmanager
def parsing_for(ti: Message) -> Iterator[None]:
    """Let ``get_parsing_context()`` name a task while its file is imported, and to nothing that it starts later."""
    names = {DAG_ID_VARIABLE: ti["dag_id"], TASK_ID_VARIABLE: ti["task_id"]}
    os.environ.update(names)
    try:
        yield
    finally:
        for name in names:
            os.environ.pop(name, None)


def set_task_environment(startup: Message) -> None:
    """Set the variables by which programs that a task starts learn where they belong."""
    ti, run = startup["ti"], startup["ti_context"].get("dag_run") or {}
    values = {
        "AIRFLOW_CTX_DAG_ID": ti["dag_id"],
        "AIRFLOW_CTX_TASK_ID": ti["task_id"],
        "AIRFLOW_CTX_DAG_RUN_ID": ti["run_id"],
        "AIRFLOW_CTX_TRY_NUMBER": ti["try_number"],
        "AIRFLOW_CTX_LOGICAL_DATE": run.get("logical_date"),
    }
    os.environ.update({name: str(value) for name, value in values.items() if value is not None})
