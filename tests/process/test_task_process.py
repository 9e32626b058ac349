"""One attempt in a real forked process, over the real socket: what it prints, logs, forks and how it ends."""

from __future__ import annotations

import logging
import os
import socket
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.sdk.definitions.dag import DAG
from orchestrator.sdk.definitions.variable import Variable
from orchestrator.sdk.execution.channel import Message
from orchestrator.sdk.execution.frames import Channel, FrameDecoder, encode_frame
from orchestrator.sdk.execution.preload import preload
from orchestrator.sdk.execution.task_runner import run_task
from orchestrator.sdk.operators.python import PythonOperator
from tests.attempts import FINAL, Supervisor, startup_document


@dataclass
class Ended:
    """What a forked attempt left behind."""

    messages: list[Message]
    status: int
    output: str
    loaded: set[str]

    @property
    def final(self) -> Message:
        (found,) = [message for message in self.messages if message["type"] in FINAL]
        return found

    @property
    def logged(self) -> list[dict[str, Any]]:
        return [message["record"] for message in self.messages if message["type"] == "Log"]


def forked(work: Callable[..., Any], answers: Supervisor | None = None, *, hang_up: bool = False, **told: Any) -> Ended:
    """Run ``work`` as a task in a forked process and answer its requests until it hangs up."""
    with DAG("d", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
        PythonOperator(task_id="t", python_callable=work)
    preload()
    known = set(sys.modules)
    ours, theirs = socket.socketpair()
    read_output, write_output = os.pipe()
    pid = os.fork()
    if pid == 0:
        ours.close()
        os.close(read_output)
        _become(dag, theirs, write_output, told, known)
    theirs.close()
    os.close(write_output)
    if hang_up:
        ours.close()
        messages = []
    else:
        with ours:
            messages = _serve(ours, answers or Supervisor())
    with os.fdopen(read_output) as stream:
        output, _, loaded = stream.read().partition("LOADED:")
    _, status = os.waitpid(pid, 0)
    return Ended(messages, os.waitstatus_to_exitcode(status), output, set(loaded.split()))


def _become(dag: DAG, connection: socket.socket, output: int, told: dict[str, Any], known: set[str]) -> None:
    code = 70
    try:
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.stdout = sys.stderr = open(1, "w", closefd=False)  # noqa: SIM115
        code = run_task(startup_document("t", **told), Channel(connection), dag)
        sys.stdout.write("LOADED:" + " ".join(sorted(set(sys.modules) - known)))
        sys.stdout.flush()
    finally:
        os._exit(code)


def _serve(connection: socket.socket, answers: Supervisor) -> list[Message]:
    decoder, messages = FrameDecoder(), []
    while data := connection.recv(1 << 16):
        for number, body in decoder.feed(data):
            messages.append(body)
            if number is not None:
                connection.sendall(encode_frame(number, answers.request(body)))
    return messages


def test_prints_go_to_the_pipe_and_records_to_the_channel() -> None:
    def work(ti: Any) -> str:
        print("printed")
        ti.log.info("a %s", "b")
        logging.getLogger("mine").warning("careful", extra={"rows": 5, "odd": object})
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        logging.getLogger("mine").debug("hidden")
        return "value"

    ended = forked(work)
    assert (ended.status, ended.final["type"], ended.output) == (0, "SucceedTask", "printed\n")
    events = {record["event"]: record for record in ended.logged}
    assert events["a b"]["logger"] == "airflow.task"
    assert events["careful"]["rows"] == 5
    assert events["careful"]["level"] == "warning"
    assert (events["old"]["logger"], events["old"]["category"]) == ("py.warnings", "DeprecationWarning")
    assert "hidden" not in events


def test_keywords_of_a_logger_stand_in_the_record() -> None:
    from orchestrator.sdk.log import get_logger

    def work() -> None:
        get_logger("with.keywords").info("copied", rows=5)

    (record,) = [r for r in forked(work).logged if r["event"] == "copied"]
    assert (record["rows"], record["lineno"] > 0, record["filename"]) == (5, True, "test_task_process.py")


@pytest.mark.parametrize(("code", "kept"), [(0, 0), (3, 3)])
def test_sys_exit_is_reported_and_the_process_ends_well(code: int, kept: int) -> None:
    ended = forked(lambda: sys.exit(code))
    assert ended.status == 0
    assert (ended.final["state"], ended.final["evidence"]["cause"], ended.final["evidence"]["exit_code"]) == (
        "failed",
        "exit_code",
        kept,
    )


def test_os_exit_leaves_no_final_message_for_the_supervisor_to_see() -> None:
    ended = forked(lambda: os._exit(5))
    assert ended.status == 5
    assert not [message for message in ended.messages if message["type"] in FINAL]


def test_a_base_exception_is_reported() -> None:
    class Odd(BaseException):
        pass

    def work() -> None:
        raise Odd("strange")

    assert forked(work).final["evidence"]["cause_detail"] == "Odd: strange"


def test_a_child_that_the_task_forks_neither_writes_into_the_channel_nor_takes_answers() -> None:
    def work() -> str | None:
        pid = os.fork()
        if pid == 0:
            logging.getLogger("child").error("from the child")
            try:
                Variable.get("v")
            except RuntimeError as error:
                sys.stdout.write(f"refused: {'forked by the task' in str(error)}\n")
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(pid, 0)
        return Variable.get("v")  # type: ignore[no-any-return]

    ended = forked(work, Supervisor(variables={"v": "value"}))
    assert ended.final["type"] == "SucceedTask"
    assert "ERROR: from the child" in ended.output
    assert "refused: True" in ended.output
    assert not [record for record in ended.logged if record["event"] == "from the child"]
    assert [m["value"] for m in ended.messages if m["type"] == "SetXCom"] == ["value"]


def test_a_child_that_ends_by_an_exception_does_not_end_the_attempt_a_second_time() -> None:
    def work() -> None:
        pid = os.fork()
        if pid == 0:
            raise RuntimeError("in the child")
        os.waitpid(pid, 0)

    assert forked(work).final["type"] == "SucceedTask"


def test_a_task_whose_supervisor_is_gone_ends_with_an_error() -> None:
    assert forked(lambda: None, hang_up=True).status == 70


def test_nothing_of_the_platform_is_imported_after_the_fork() -> None:
    ended = forked(lambda ds, params, ti: ti.xcom_pull(task_ids="x"))
    assert not {name for name in ended.loaded if name.startswith(("orchestrator", "pendulum", "jinja2", "jsonschema"))}


def test_requests_of_several_threads_get_their_own_answers() -> None:
    from concurrent.futures import ThreadPoolExecutor

    def work() -> bool:
        names = [f"v{number}" for number in range(20)]
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(Variable.get, names)) == names

    ended = forked(work, Supervisor(variables={f"v{number}": f"v{number}" for number in range(20)}))
    assert [m["value"] for m in ended.messages if m["type"] == "SetXCom"] == [True]
