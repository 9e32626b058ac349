"""The process that runs triggers: events, failures, isolation, stops, questions and blocks."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.sdk.triggers.runner_process import RunnerProcess

TEMPORAL = "airflow.providers.standard.triggers.temporal.DateTimeTrigger"
PAST = "2020-01-01T00:00:00+00:00"

TRIGGERS = """
import asyncio
import time
from airflow.sdk import Variable
from airflow.triggers.base import BaseTrigger, TaskFailedEvent, TaskSuccessEvent, TriggerEvent

class Base(BaseTrigger):
    def __init__(self, **kwargs):
        super().__init__()
        self.given = kwargs

    def serialize(self):
        return f"my_triggers.{type(self).__name__}", self.given

    async def cleanup(self):
        self.log.info("cleaned up")

    async def on_kill(self):
        self.log.info("killed")

class Fires(Base):
    async def run(self):
        self.log.info("about to fire")
        yield TriggerEvent(self.given)
        raise AssertionError("the first event wins")

class Tuples(Base):
    async def run(self):
        yield TriggerEvent({"pair": (1, ("two", {3}))})

class SucceedsWithTuple(Base):
    async def run(self):
        yield TaskSuccessEvent(xcoms={"return_value": (1, frozenset({2}))})

class Silent(Base):
    async def run(self):
        return
        yield

class Raises(Base):
    async def run(self):
        raise ValueError("broken inside")
        yield

class Exits(Base):
    async def run(self):
        raise SystemExit(3)
        yield

class Unserializable(Base):
    async def run(self):
        yield TriggerEvent(object())

class Waits(Base):
    async def run(self):
        self.log.info("waits")
        await asyncio.sleep(3600)
        yield TriggerEvent(None)

class Succeeds(Base):
    async def run(self):
        yield TaskSuccessEvent(xcoms={"return_value": 5})

class Asks(Base):
    async def run(self):
        yield TriggerEvent([Variable.get("one"), await asyncio.to_thread(Variable.get, "two"), self.task_instance.dag_id])

class Blocks(Base):
    async def run(self):
        time.sleep(4)  # the watchdog may look a little late, and looks at 1 s and at 10 s
        yield TriggerEvent("late")
"""


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[RunnerProcess]:
    (tmp_path / "my_triggers.py").write_text(textwrap.dedent(TRIGGERS))
    process = RunnerProcess(tmp_path)
    yield process
    process.close()


def test_the_first_event_is_reported_and_the_trigger_cleans_up(runner: RunnerProcess) -> None:
    runner.start(1, "my_triggers.Fires", a=1)
    assert runner.wait_for("Event", 1)["payload"] == {"a": 1}
    assert [line for line in runner.logged() if ("fire" in line and "<" not in line) or "clean" in line] == [
        "about to fire",
        "cleaned up",
    ]


def test_a_payload_travels_in_the_wire_format_of_xcoms(runner: RunnerProcess) -> None:
    runner.start(1, TEMPORAL, moment=PAST)
    assert runner.wait_for("Event", 1)["payload"]["__classname__"] == "pendulum.datetime.DateTime"


def test_tuples_and_sets_of_an_event_arrive_as_lists_as_in_airflow(runner: RunnerProcess) -> None:
    runner.start(1, "my_triggers.Tuples")
    assert runner.wait_for("Event", 1)["payload"] == {"pair": [1, ["two", [3]]]}
    runner.start(2, "my_triggers.SucceedsWithTuple")
    assert runner.wait_for("Ended", 2)["xcoms"] == {"return_value": "[1, [2]]"}


def test_an_event_that_ends_the_task_names_its_state_and_the_json_of_its_xcoms(runner: RunnerProcess) -> None:
    runner.start(1, "my_triggers.Succeeds")
    ended = runner.wait_for("Ended", 1)
    assert (ended["state"], ended["xcoms"]) == ("success", {"return_value": "5"})


@pytest.mark.parametrize(
    ("classpath", "words"),
    [
        ("my_triggers.Raises", "ValueError: broken inside"),
        ("my_triggers.Exits", "SystemExit: 3"),
        ("my_triggers.Silent", "without an event"),
        ("my_triggers.Unserializable", "Cannot serialize object"),
        ("my_triggers.Missing", "has no attribute 'Missing'"),
        ("no_such_module.Trigger", "No module named 'no_such_module'"),
        ("my_triggers.asyncio", "is no trigger"),
        (TEMPORAL, "Expected datetime.datetime type"),
    ],
)
def test_what_a_trigger_does_wrong_is_its_own_failure_with_the_traceback(
    runner: RunnerProcess, classpath: str, words: str
) -> None:
    """I4, C15-e."""
    runner.start(1, "my_triggers.Waits")
    runner.start(2, classpath)
    assert words in "".join(runner.wait_for("Failed", 2)["traceback"])
    runner.start(3, "my_triggers.Fires")
    assert runner.wait_for("Event", 3)["payload"] == {}


def test_bad_arguments_fail_with_the_constructors_words(runner: RunnerProcess) -> None:
    runner.start(1, TEMPORAL, no_such_argument=1)
    assert "no_such_argument" in "".join(runner.wait_for("Failed", 1)["traceback"])


@pytest.mark.parametrize(("reason", "is_killed"), [("cancelled", True), ("moved", False), ("expired", False)])
def test_only_a_cancelled_trigger_runs_its_kill_path(runner: RunnerProcess, reason: str, is_killed: bool) -> None:
    """C15-b."""
    runner.start(1, "my_triggers.Waits")
    while "waits" not in runner.logged():
        runner._read()
    runner.send(type="Stop", id=1, reason=reason)
    runner.wait_for("Stopped", 1)
    assert ("killed" in runner.logged()) is is_killed
    assert "cleaned up" in runner.logged()


def test_a_closed_connection_ends_the_runner_and_cleans_up(runner: RunnerProcess) -> None:
    runner.start(1, "my_triggers.Waits")
    while "waits" not in runner.logged():
        runner._read()
    runner.send(type="Shutdown")
    runner.wait_for("Stopped", 1)
    assert "killed" not in runner.logged()
    assert runner.close() == 0


def test_a_trigger_asks_for_variables_in_its_loop_and_in_threads(runner: RunnerProcess) -> None:
    runner.start(1, "my_triggers.Asks")
    for value in ("1", "2"):
        question = runner.wait_for("Ask", 1)
        answer = {"type": "VariableResult", "key": question["body"]["key"], "value": value}
        runner.send(type="Answer", number=question["number"], body=answer)
    assert runner.wait_for("Event", 1)["payload"] == ["1", "2", "d"]


def test_a_trigger_that_blocks_the_loop_is_named_with_its_stack(runner: RunnerProcess) -> None:
    """C15-a."""
    runner.start(1, "my_triggers.Fires")
    runner.wait_for("Event", 1)
    runner.start(7, "my_triggers.Blocks")
    runner.wait_for("Blocked", 7)
    (line,) = [line for line in runner.logged() if "Trigger 7 blocks the event loop" in line]
    assert "time.sleep(4)" in line
    assert runner.wait_for("Event", 7)["payload"] == "late"


def test_a_changed_file_is_read_again(runner: RunnerProcess, tmp_path: Path) -> None:
    runner.start(1, "my_triggers.Fires", a=1)
    runner.wait_for("Event", 1)
    path = tmp_path / "my_triggers.py"
    path.write_text(textwrap.dedent(TRIGGERS).replace("TriggerEvent(self.given)", "TriggerEvent('new')  # changed"))
    runner.start(2, "my_triggers.Fires", a=1)
    assert runner.wait_for("Event", 2)["payload"] == "new"
