"""What each way in which a task can end makes of its attempt."""

from __future__ import annotations

import os
import signal
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator.sdk.definitions.dag import DAG
from orchestrator.sdk.definitions.operator import BaseOperator
from orchestrator.sdk.exceptions import (
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTerminated,
    AirflowTaskTimeout,
    DagRunTriggerException,
    DownstreamTasksSkipped,
    TaskDeferred,
)
from orchestrator.sdk.operators.bash import BashOperator
from orchestrator.sdk.operators.empty import EmptyOperator
from orchestrator.sdk.operators.python import PythonOperator
from orchestrator.sdk.operators.trigger_dagrun import TriggerDagRunOperator
from tests.attempts import Supervisor, attempt

START = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 1, 2, 3, tzinfo=UTC)


def dag_of(make: Any, **arguments: Any) -> DAG:
    with DAG("d", schedule=None, start_date=START, **arguments) as dag:
        make()
    return dag


def raising(error: BaseException, **arguments: Any) -> DAG:
    def work(**_: Any) -> None:
        raise error

    return dag_of(lambda: PythonOperator(task_id="t", python_callable=work, **arguments))


@pytest.mark.parametrize(
    ("error", "cause", "retries"),
    [
        (ValueError("no"), "user_exception", True),
        (AirflowFailException("stop"), "fail_exception", False),
        (AirflowSensorTimeout("waited"), "fail_exception", False),
        (AirflowTaskTimeout("slow"), "execution_timeout", True),
        (AirflowTaskTerminated("told"), "signal", False),
        (SystemExit(0), "exit_code", True),
        (SystemExit(3), "exit_code", True),
        (KeyboardInterrupt(), "user_exception", True),
        (BaseException("odd"), "user_exception", True),
    ],
)
def test_an_exception_fails_or_retries_the_attempt_with_its_cause(error: BaseException, cause: str, retries: bool) -> None:
    once = attempt(raising(error), "t").final
    assert (once["type"], once["state"], once["evidence"]["cause"]) == ("TaskState", "failed", cause)
    again = attempt(raising(error), "t", should_retry=True).final
    assert again["type"] == ("RetryTask" if retries else "TaskState")
    assert again["evidence"]["cause"] == cause
    assert again["end_date"].endswith("Z")


def test_an_exit_code_stands_in_the_evidence() -> None:
    assert attempt(raising(SystemExit(3)), "t").final["evidence"]["exit_code"] == 3
    assert attempt(raising(SystemExit("text")), "t").final["evidence"]["exit_code"] == 1


def test_the_error_is_logged_as_a_structured_record() -> None:
    try:
        raise KeyError("cause")
    except KeyError as cause:
        error = ValueError("x")
        error.__cause__ = cause
    (record,) = [r for r in attempt(raising(error), "t").logged() if r["level"] == "error"]
    assert (record["event"], record["logger"]) == ("Task failed with exception", "task")
    first, second = record["error_detail"]
    assert (first["exc_type"], first["exc_value"], first["is_cause"]) == ("ValueError", "x", False)
    assert (second["exc_type"], second["is_cause"]) == ("KeyError", True)
    assert first["frames"][-1]["name"] == "work"


def test_an_exception_without_readable_text_is_reported_all_the_same() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    assert "RuntimeError" in attempt(raising(Broken()), "t").final["evidence"]["cause_detail"]


def test_a_skip_is_reported_with_its_callback_and_no_retry() -> None:
    seen: list[Any] = []
    dag = raising(AirflowSkipException("not today"), on_skipped_callback=lambda c: seen.append(c["exception"]))
    final = attempt(dag, "t", should_retry=True).final
    assert (final["type"], final["state"], final["evidence"]["cause"], seen) == ("TaskState", "skipped", "skip", [None])


def test_a_reschedule_says_when() -> None:
    final = attempt(raising(AirflowRescheduleException(LATER)), "t").final
    assert (final["type"], final["reschedule_date"]) == ("RescheduleTask", "2026-01-02T03:00:00Z")


def test_skipped_downstream_tasks_are_told_before_the_success() -> None:
    supervisor = attempt(raising(DownstreamTasksSkipped(tasks=["a", ("b", 1)])), "t")
    kinds = [m["type"] for m in supervisor.of_type("SkipDownstreamTasks", "SucceedTask")]
    assert kinds == ["SkipDownstreamTasks", "SucceedTask"]
    assert supervisor.of_type("SkipDownstreamTasks")[0]["tasks"] == ["a", ["b", 1]]


class Trigger:
    def serialize(self) -> tuple[str, dict[str, Any]]:
        return "pkg.Trigger", {"moment": LATER}


def test_a_deferral_carries_trigger_method_and_timeout() -> None:
    wait = TaskDeferred(trigger=Trigger(), method_name="resume", kwargs={"a": (1,)}, timeout=timedelta(days=1, seconds=1.5))
    final = attempt(raising(wait), "t").final
    assert (final["type"], final["classpath"], final["next_method"]) == ("DeferTask", "pkg.Trigger", "resume")
    assert final["trigger_timeout"] == "P1DT1.5S"
    assert final["trigger_kwargs"]["moment"]["__classname__"] == "datetime.datetime"
    assert final["next_kwargs"]["a"]["__data__"] == [1]


class Resumable(BaseOperator):
    def execute(self, context: Any) -> Any:
        raise AssertionError("must not be called")

    def resume(self, context: Any, event: Any = None) -> Any:
        return [event, context["run_id"]]


def test_a_resumed_attempt_goes_on_in_the_named_method() -> None:
    dag = dag_of(lambda: Resumable(task_id="t"))
    supervisor = attempt(dag, "t", next_method="resume", next_kwargs={"event": 5})
    assert supervisor.xcoms["t", "return_value"][-1] == [5, "r"]


def test_the_wait_in_a_trigger_does_not_count_to_the_execution_timeout_of_what_goes_on() -> None:
    dag = dag_of(lambda: Resumable(task_id="t", execution_timeout=timedelta(minutes=5)))
    supervisor = attempt(dag, "t", next_method="resume", next_kwargs={"event": 5}, start_date="2026-01-01T00:00:00Z")
    assert supervisor.final["type"] == "SucceedTask"


def test_a_failed_trigger_fails_the_attempt() -> None:
    final = attempt(
        dag_of(lambda: Resumable(task_id="t")), "t", next_method="__fail__", next_kwargs={"error": "Trigger timeout"}
    ).final
    assert "TaskDeferralTimeout" in final["evidence"]["cause_detail"]


def test_a_trigger_that_cannot_be_serialized_still_gives_one_final_message() -> None:
    class Bad:
        def serialize(self) -> Any:
            raise RuntimeError("broken trigger")

    final = attempt(raising(TaskDeferred(trigger=Bad(), method_name="m")), "t").final
    assert (final["type"], final["state"]) == ("TaskState", "failed")


def order(**values: Any) -> DagRunTriggerException:
    given: dict[str, Any] = {"trigger_dag_id": "other", "dag_run_id": "run", "conf": {"a": 1}, "reset_dag_run": False}
    given |= {"skip_when_already_exists": False, "wait_for_completion": False, "allowed_states": ["success"]}
    return DagRunTriggerException(**{**given, "failed_states": ["failed"], "poke_interval": 0, "deferrable": False, **values})


def test_a_triggered_run_is_started_and_its_id_pushed() -> None:
    supervisor = attempt(raising(order()), "t")
    assert supervisor.of_type("TriggerDagRun")[0]["conf"] == {"a": 1}
    assert supervisor.xcoms["t", "trigger_run_id"][-1] == "run"
    assert supervisor.final["type"] == "SucceedTask"


@pytest.mark.parametrize(("skip", "state"), [(True, "skipped"), (False, "failed")])
def test_a_run_that_exists_skips_or_fails(skip: bool, state: str) -> None:
    exists = {"TriggerDagRun": {"type": "ErrorResponse", "error": "DAGRUN_ALREADY_EXISTS", "detail": None}}
    supervisor = attempt(raising(order(skip_when_already_exists=skip)), "t", Supervisor(scripted=exists))
    assert supervisor.final["state"] == state


@pytest.mark.parametrize(("end", "kind"), [("success", "SucceedTask"), ("failed", "TaskState")])
def test_waiting_for_a_triggered_run_ends_as_it_does(end: str, kind: str) -> None:
    states = iter(["running", end])
    supervisor = Supervisor(scripted={"GetDagRunState": lambda _: {"type": "DagRunStateResult", "state": next(states)}})
    assert attempt(raising(order(wait_for_completion=True)), "t", supervisor).final["type"] == kind


def test_a_task_over_its_execution_timeout_is_stopped_where_it_stands() -> None:
    def wait() -> None:
        threading.Event().wait(60)

    # Long enough for a busy machine to come to where it stands.
    dag = dag_of(lambda: PythonOperator(task_id="t", python_callable=wait, execution_timeout=timedelta(seconds=1)))
    supervisor = attempt(dag, "t")
    assert supervisor.final["evidence"]["cause"] == "execution_timeout"
    detail = next(r for r in supervisor.logged() if "error_detail" in r)["error_detail"]
    assert "wait" in [frame["name"] for frame in detail[0]["frames"]]
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_sigterm_calls_on_kill_once_and_ends_the_attempt_with_that_cause() -> None:
    killed: list[str] = []

    class Killed(BaseOperator):
        def execute(self, context: Any) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            time.monotonic()

        def on_kill(self) -> None:
            killed.append(self.task_id)
            os.kill(os.getpid(), signal.SIGTERM)

    final = attempt(dag_of(lambda: Killed(task_id="t")), "t", should_retry=True).final
    assert killed == ["t"]
    assert (final["type"], final["evidence"]["cause"], final["evidence"]["signal"]) == ("RetryTask", "signal", signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_callbacks_run_after_the_final_message_and_their_failure_changes_nothing() -> None:
    seen: list[Any] = []
    supervisor = Supervisor()

    def broken(context: Any) -> None:
        seen.append((len(supervisor.of_type("RetryTask")), str(context["exception"])))
        raise RuntimeError("callback")

    attempt(raising(ValueError("x"), on_retry_callback=[broken, broken]), "t", supervisor, should_retry=True)
    assert seen == [(1, "x"), (1, "x")]
    assert supervisor.final["type"] == "RetryTask"


def test_hooks_and_callbacks_run_in_order() -> None:
    seen: list[Any] = []
    arguments = {
        "pre_execute": lambda context: seen.append("pre"),
        "post_execute": lambda context, result: seen.append(result),
        "on_execute_callback": lambda context: seen.append("execute"),
        "on_success_callback": lambda context: seen.append("success"),
    }
    attempt(dag_of(lambda: PythonOperator(task_id="t", python_callable=lambda: 4, **arguments)), "t")
    assert seen == ["pre", "execute", 4, "success"]


def test_hooks_that_are_given_run_before_methods_of_the_same_name() -> None:
    seen: list[str] = []

    class Hooked(EmptyOperator):
        def pre_execute(self, context: Any) -> None:
            seen.append("own pre")

        def post_execute(self, context: Any) -> None:  # type: ignore[override]
            seen.append("own post")

        def execute(self, context: Any) -> int:
            return 4

    hooks = {
        "pre_execute": lambda context: seen.append("pre"),
        "post_execute": lambda context, result: seen.append(f"post {result}"),
    }
    attempt(dag_of(lambda: Hooked(task_id="t", **hooks)), "t")
    assert seen == ["pre", "own pre", "post 4", "own post"]


def test_a_template_that_fails_fails_the_attempt_and_names_the_field() -> None:
    supervisor = attempt(dag_of(lambda: BashOperator(task_id="t", bash_command="{{ nope }}")), "t")
    assert supervisor.final["evidence"]["cause_detail"] == "UndefinedError: 'nope' is undefined"
    assert any("bash_command" in record["event"] for record in supervisor.logged())
    assert not supervisor.of_type("SetRenderedFields")


def test_the_command_that_a_function_returned_is_shown_though_it_skips_or_fails() -> None:
    from orchestrator.sdk.decorators import task

    for command, state in (("exit 99", "skipped"), ("exit 3", "failed")):
        final = attempt(dag_of(lambda command=command: task.bash(task_id="t")(lambda: command)()), "t")
        assert final.final["state"] == state
        assert final.of_type("SetRenderedFields")[-1]["rendered_fields"]["bash_command"] == command


def test_invalid_params_fail_the_attempt() -> None:
    from orchestrator.sdk.definitions.param import Param

    dag = dag_of(lambda: PythonOperator(task_id="t", python_callable=print), params={"n": Param(1, type="integer")})
    from tests.attempts import run_document

    final = attempt(dag, "t", run=run_document(conf={"n": "text"})).final
    assert "ParamValidationError" in final["evidence"]["cause_detail"]


def test_a_task_that_left_the_dag_is_reported_as_such() -> None:
    final = attempt(dag_of(lambda: PythonOperator(task_id="t", python_callable=print)), "gone").final
    assert (final["state"], final["evidence"]["cause"]) == ("failed", "task_not_found")


def test_inactive_assets_fail_the_attempt_without_retry() -> None:
    inactive = {"ValidateInletsAndOutlets": {"type": "InactiveAssetsResult", "inactive_assets": [{"name": "a", "uri": "u"}]}}

    class Written:
        name, uri = "a", "u"

    dag = dag_of(lambda: PythonOperator(task_id="t", python_callable=print))
    dag.task_dict["t"].outlets = [Written()]
    assert attempt(dag, "t", Supervisor(scripted=inactive), should_retry=True).final["evidence"]["cause"] == "fail_exception"


def triggering(**arguments: Any) -> DAG:
    return dag_of(lambda: TriggerDagRunOperator(task_id="t", trigger_dag_id="other", trigger_run_id="run", **arguments))


def test_a_triggered_run_that_fails_is_a_failure_that_is_tried_again() -> None:
    supervisor = Supervisor(scripted={"GetDagRunState": {"type": "DagRunStateResult", "state": "failed"}})
    final = attempt(raising(order(wait_for_completion=True)), "t", supervisor, should_retry=True).final
    assert final["type"] == "RetryTask" and "failed with failed state failed" in final["evidence"]["cause_detail"]


def test_a_paused_dag_is_not_triggered_where_that_is_wanted_and_the_link_leads_to_the_run() -> None:
    paused = Supervisor(scripted={"GetDag": {"type": "DagResult", "dag_id": "other", "is_paused": True}})
    final = attempt(triggering(fail_when_dag_is_paused=True), "t", paused).final
    assert final["state"] == "failed" and "Dag other is paused" in final["evidence"]["cause_detail"]
    assert paused.of_type("TriggerDagRun") == []
    supervisor = attempt(triggering(), "t")
    assert supervisor.xcoms["t", "_link_TriggerDagRunLink"][-1].endswith("/dags/other/runs/run")
    assert supervisor.of_type("TriggerDagRun")[0]["run_id"] == "run"


@pytest.mark.parametrize("returned", [5, None, ""])
def test_what_a_bash_function_returned_is_shown_also_where_it_is_no_command(returned: Any) -> None:
    from orchestrator.sdk.decorators import task

    ended = attempt(dag_of(lambda: task.bash(task_id="t")(lambda: returned)()), "t")
    assert ended.final["state"] == "failed"
    assert ended.of_type("SetRenderedFields")[-1]["rendered_fields"]["bash_command"] == returned


def test_numbers_that_json_does_not_have_are_shown_as_nothing() -> None:
    values = [float("nan"), {"a": float("inf"), "b": 1.5}]
    ended = attempt(dag_of(lambda: PythonOperator(task_id="t", python_callable=lambda *_: None, op_args=values)), "t")
    assert ended.of_type("SetRenderedFields")[-1]["rendered_fields"]["op_args"] == [None, {"a": None, "b": 1.5}]
