"""C28-c: DAGs run in this process without any database or service, with the outcome of a deployment."""

from __future__ import annotations

import io
import logging
import os
import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator.local_run.dag_test import PoolError, run_dag
from orchestrator.local_run.people import NoAnswerError
from orchestrator.sdk import DAG, BaseOperator, Param, task, task_group
from orchestrator.sdk.exceptions import ParamValidationError
from orchestrator.sdk.operators.bash import BashOperator
from orchestrator.sdk.operators.empty import EmptyOperator
from orchestrator.sdk.operators.hitl import ApprovalOperator, HITLEntryOperator
from orchestrator.sdk.operators.python import PythonOperator
from orchestrator.sdk.testing.store import Store
from tests.unit.local_run import dags


def test_a_retry_costs_no_time_and_the_clock_of_the_run_leaps() -> None:
    result = run_dag(dags.retried(3))
    assert (result.state, result.tries, result.results["flaky"]) == ("success", {"flaky": 3, "after": 1}, 3)
    assert timedelta(hours=15) <= timedelta(seconds=result.duration) < timedelta(hours=16)


def test_retries_end_and_the_failure_shows_the_authors_lines_only() -> None:
    result = run_dag(dags.retried(9))
    assert result.states == {"flaky": "failed", "after": "upstream_failed"}
    assert isinstance(result.task("flaky").exception, ValueError)
    first, second = [line for line in result.failures().splitlines() if line.strip().startswith("File ")][:1], result.failures()
    assert "dags.py" in first[0]
    assert "ValueError: not yet" in second
    assert "task_runner" not in second


@pytest.mark.parametrize("length", [0, 3])
def test_a_mapped_task_has_an_instance_per_value(length: int) -> None:
    result = run_dag(dags.mapped(length))
    if not length:
        assert result.states["double"] == "skipped"
        return
    wanted = {"double[0]": "success", "double[1]": "skipped", "double[2]": "success", "total": "success", "numbers": "success"}
    assert result.states == wanted
    assert result.results["total"] == 4
    assert list(result.states) == ["numbers", "double[0]", "double[1]", "double[2]", "total"]
    assert result.task("double", 2).rendered_map_index == "n=2"


def test_a_mapped_group_runs_index_by_index() -> None:
    assert run_dag(dags.mapped_group()).results["collect"] == [20, 30, 40]


@pytest.mark.parametrize(("way", "skipped"), [("left", "right"), ("right", "left")])
def test_a_branch_follows_a_param(way: str, skipped: str) -> None:
    result = run_dag(dags.branching(), run_conf={"way": way})
    assert result.states == {"choose": "success", way: "success", skipped: "skipped", "join": "success"}


def test_a_param_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ParamValidationError, match="'up' is not one of"):
        run_dag(dags.branching(), run_conf={"way": "up"})


def test_a_teardown_runs_after_a_failure_and_the_run_fails() -> None:
    result = run_dag(dags.setup_and_teardown())
    assert result.state == "failed"
    assert result.states == {"prepare": "success", "work": "failed", "clean": "success"}


def test_deferred_tasks_go_on_with_the_events_of_their_triggers() -> None:
    result = run_dag(dags.deferred())
    assert result.results == {"one": 2, "two": 6}
    assert (result.states["far"], result.tries["far"]) == ("success", 1)
    assert result.end_date > datetime(2999, 1, 1, tzinfo=UTC)


def test_a_trigger_that_takes_too_long_fails_its_task() -> None:
    assert run_dag(dags.deferred_too_long()).states == {"late": "failed"}


def test_a_trigger_that_never_fires_is_given_up_with_a_sentence() -> None:
    with DAG("never") as dag:
        dags.Defers(task_id="never", trigger=dags.Never(1))
    result = run_dag(dag, trigger_seconds=0.01)
    assert result.states == {"never": "failed"}
    assert "trigger_seconds" in str(result.task("never").log_text) + str(result.task("never").exception)


@pytest.mark.parametrize(("timeout", "state"), [(10**6, "success"), (3000, "failed")])
def test_a_sensor_that_is_rescheduled_leaps_from_poke_to_poke_and_times_out_by_that_clock(timeout: float, state: str) -> None:
    result = run_dag(dags.rescheduled(timeout))
    assert (result.state, result.tries["wait"]) == (state, 1)


def test_variables_and_connections_are_given_and_what_tasks_write_stays_in_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(variables={"j": {"x": {"y": 7}}})
    monkeypatch.setenv("AIRFLOW_VAR_V", "from env")
    result = run_dag(dags.stores(), store=store, connections={"c": "http://u:p@host:80/?k=7"})
    assert result.results == {"read": ["from env", "d", "host"], "say": "from env 7 7"}
    assert store.variables["written"] == "yes"


def test_a_missing_connection_is_named() -> None:
    result = run_dag(dags.stores(), variables={"v": "x", "j": {"x": {"y": 1}}})
    assert "conn_id `c`" in str(result.task("read").exception)


def test_assets_events_are_there_for_later_tasks_and_runs() -> None:
    store = Store()
    first = run_dag(dags.assets(), store=store)
    assert first.results["read"] == [{"rows": 3}]
    assert [event["asset"]["name"] for event in first.asset_events] == ["orders", "made"]
    assert run_dag(dags.assets(), store=store, run_id="second").results["read"] == [{"rows": 3}, {"rows": 3}]


def test_a_run_of_another_dag_is_noted_and_counts_as_a_success() -> None:
    result = run_dag(dags.triggering())
    assert result.state == "success"
    assert [(order["dag_id"], order["run_id"], order["conf"]) for order in result.triggered] == [("other", "r1", {"a": 1})]


def test_fail_fast_ends_what_has_not_begun() -> None:
    states = run_dag(dags.stopping_fast()).states
    assert sorted(map(str, states.values())) == ["failed", "skipped", "skipped"]


def test_tasks_that_match_the_pattern_succeed_without_running() -> None:
    result = run_dag(dags.retried(9), mark_success_pattern="fl.*")
    assert result.states == {"flaky": "success", "after": "success"}
    assert "flaky" not in result.results


def test_pools_cannot_deadlock_and_a_task_that_could_never_run_is_refused() -> None:
    with DAG("pools") as dag:
        EmptyOperator(task_id="a", pool="p", pool_slots=2)
    assert run_dag(dag, pools={"p": 2}).ok
    with pytest.raises(PoolError, match="2 slots of pool 'p', which has 1"):
        run_dag(dag, pools={"p": 1})
    with pytest.raises(PoolError, match="wants pool 'p'"):
        run_dag(dag, pools={})


def test_people_answer_as_the_test_says_else_the_default_counts() -> None:
    with DAG("asks") as dag:
        ApprovalOperator(task_id="ask", subject="Ship it?", defaults="Approve") >> EmptyOperator(task_id="ship")
        HITLEntryOperator(task_id="enter", subject="How many?", params={"n": 1})
    assert run_dag(dag).states["ship"] == "success"
    rejected = run_dag(dag, answers={"ask": {"chosen_options": ["Reject"]}, "enter": {"params_input": {"n": 5}}})
    assert rejected.states["ship"] == "skipped"
    assert rejected.results["enter"]["params_input"] == {"n": 5}


def test_a_question_without_an_answer_says_how_to_give_one() -> None:
    with DAG("asks") as dag:
        ApprovalOperator(task_id="ask", subject="Ship it?")
    with pytest.raises(NoAnswerError, match="answers="):
        run_dag(dag)


def test_depends_on_past_looks_at_the_runs_in_the_store() -> None:
    with DAG("past") as dag:

        @task(depends_on_past=True)
        def work(params: Any = None, dag_run: Any = None) -> None:
            if dag_run.conf.get("fail"):
                raise ValueError("asked to")

        work()
    store = Store()
    assert run_dag(dag, store=store, logical_date="2026-01-01", run_id="1", run_conf={"fail": True}).state == "failed"
    second = run_dag(dag, store=store, logical_date="2026-01-02", run_id="2")
    assert second.state == "failed"
    assert (second.tries, second.states) == ({"work": 0}, {"work": None})


def test_the_dags_callback_is_called_with_the_run() -> None:
    seen: list[Any] = []
    with DAG("calls", on_failure_callback=lambda context: seen.append((context["dag_run"].run_id, context["reason"]))) as dag:

        @task
        def bad() -> None:
            raise ValueError("no")

        bad()
    run_dag(dag, run_id="r")
    assert seen == [("r", "task_failure")]


def test_the_run_has_airflows_name_and_dates() -> None:
    with DAG("d") as dag:
        EmptyOperator(task_id="t")
    at = datetime(2026, 1, 2, tzinfo=UTC)
    result = run_dag(dag, run_after=at)
    assert (result.run_id, result.logical_date) == (f"manual__{at.isoformat()}", at)
    without = run_dag(dag, run_after=at, logical_date=None)
    assert without.logical_date is None
    assert without.run_id.startswith(f"manual__{at.isoformat()}_")


def test_dag_test_takes_files_and_shows_a_table(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "variables.yaml").write_text("v: hello\nj: {x: {y: 1}}\n")
    (tmp_path / "connections.json").write_text('{"c": {"conn_type": "http", "host": "h", "extra": {"k": "kk"}}}')
    result = dags.stores().test(
        variable_file_path=str(tmp_path / "variables.yaml"), conn_file_path=str(tmp_path / "connections.json")
    )
    assert result.results == {"read": ["hello", "d", "h"], "say": "hello 1 kk"}
    shown = capsys.readouterr().err
    assert "task  | state   | tries" in shown
    assert "Run manual__" in shown


def test_a_run_leaves_the_process_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    before = (dict(os.environ), logging.getLogger().handlers[:], sys.stdout)
    run_dag(dags.mapped(2))
    assert (dict(os.environ), logging.getLogger().handlers[:], sys.stdout) == before


def test_what_a_task_prints_is_in_its_log(capsys: pytest.CaptureFixture[str]) -> None:
    with DAG("prints") as dag:

        @task
        def say() -> None:
            print("one\ntwo")

        say()
    assert "one\ntwo" in run_dag(dag).task("say").log_text
    assert "one\ntwo" in capsys.readouterr().out


def test_a_dag_answers_a_command_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["file.py", "tasks", "list"])
    dags.branching().cli()
    assert capsys.readouterr().out.split() == ["choose", "join", "left", "right"]
    monkeypatch.setattr(sys, "argv", ["file.py", "dags", "test", "2026-01-02"])
    dags.branching().cli()
    with pytest.raises(SystemExit):
        dags.setup_and_teardown().cli()
    monkeypatch.setattr(sys, "argv", ["file.py", "tasks", "test", "work"])
    with pytest.raises(SystemExit):
        dags.setup_and_teardown().cli()
    assert "work: failed" in capsys.readouterr().out


def test_secrets_are_hidden_in_the_logs_and_rendered_fields(capsys: pytest.CaptureFixture[str]) -> None:
    with DAG("secret") as dag:
        BashOperator(task_id="say", bash_command="echo {{ conn.c.password }}")
    result = run_dag(dag, connections={"c": "http://u:very-secret-word@host/"})
    assert "very-secret-word" not in result.task("say").log_text + str(result.task("say").rendered_fields)
    assert "***" in result.task("say").log_text


def test_a_run_of_the_same_id_takes_the_place_of_the_first() -> None:
    store = Store()
    assert "double[2]" in run_dag(dags.mapped(3), store=store, run_id="r").states
    assert "double[2]" not in run_dag(dags.mapped(2), store=store, run_id="r").states


def test_a_branch_in_a_mapped_group_skips_nothing_as_in_airflow() -> None:
    with DAG("routes", schedule=None) as dag:

        @task_group
        def group(way: str) -> None:
            @task.branch
            def choose(way: str) -> str:
                return f"group.{way}"

            chosen = choose(way)
            for name in ("left", "right"):
                chosen >> EmptyOperator(task_id=name)

        group.expand(way=["left", "right"])
    states = run_dag(dag).states
    assert {states[f"group.{name}[{index}]"] for name in ("left", "right") for index in (0, 1)} == {"success"}


def test_a_task_knows_the_bundle_of_its_file() -> None:
    with DAG("bundled", schedule=None) as dag:

        @task
        def place(ti: Any = None) -> list[Any]:
            bundle = ti.bundle_instance
            return [bundle.name, bundle.version, str(bundle.path / "x")]

        place()
    assert run_dag(dag).results["place"] == ["dags-folder", None, os.path.join(os.path.dirname(__file__), "x")]


def test_an_operator_may_run_another_one_inside_of_it() -> None:
    class Outer(BaseOperator):
        def execute(self, context: Any) -> Any:
            inner = PythonOperator(task_id="inner", python_callable=lambda ds, **more: [ds, "conn" in more])
            return inner.execute(context)

    with DAG("nested", schedule=None) as dag:
        Outer(task_id="outer")
    assert run_dag(dag, logical_date=datetime(2026, 1, 5, tzinfo=UTC)).results["outer"] == ["2026-01-05", True]


@pytest.mark.parametrize(
    ("may", "state", "word"), [(True, "success", "other code than the task runner"), (False, "failed", "RuntimeError")]
)
def test_an_operator_inside_of_another_one_is_warned_of_or_refused_where_it_forbids_that(
    may: bool, state: str, word: str
) -> None:
    class Inner(BaseOperator):
        def execute(self, context: Any) -> int:
            return 7

    class Deeper(Inner):
        def execute(self, context: Any) -> int:
            return super().execute(context)

    class Outer(BaseOperator):
        def execute(self, context: Any) -> Any:
            return Deeper(task_id="inner", allow_nested_operators=may).execute(context)

    with DAG("nested", schedule=None) as dag:
        Outer(task_id="outer")
        Deeper(task_id="alone", allow_nested_operators=False)
        BashOperator.partial(task_id="many", allow_nested_operators=False).expand(bash_command=["true"])
    lines: list[dict[str, Any]] = []
    assert run_dag(dag, on_log=lines.append).states == {"outer": state, "alone": "success", "many[0]": "success"}
    assert word in str(lines)
    assert "of 'inner' was called" in str(lines)
    assert "of 'alone' was called" not in str(lines)


def test_a_task_that_runs_too_long_is_killed_by_its_own_hook() -> None:
    killed: list[str] = []

    class Slow(BaseOperator):
        def execute(self, context: Any) -> None:
            threading.Event().wait(30)

        def on_kill(self) -> None:
            killed.append(self.task_id)

    with DAG("slow", schedule=None) as dag:
        Slow(task_id="slow", execution_timeout=timedelta(seconds=0.05))
    assert run_dag(dag).states == {"slow": "failed"}
    assert killed == ["slow"]


def test_a_run_with_wrong_params_does_not_begin() -> None:
    with DAG("params", schedule=None, params={"n": Param(1, type="integer"), "must": Param(type="string")}) as dag:
        EmptyOperator(task_id="t")
    with pytest.raises(ParamValidationError, match="must"):
        run_dag(dag)
    with pytest.raises(ParamValidationError, match="n"):
        run_dag(dag, run_conf={"must": "x", "n": "many"})
    assert run_dag(dag, run_conf={"must": "x"}).ok


def test_a_group_function_gives_what_it_returns() -> None:
    with DAG("groups", schedule=None):

        @task_group
        def pair() -> tuple[EmptyOperator, EmptyOperator]:
            return EmptyOperator(task_id="a"), EmptyOperator(task_id="b")

        first, second = pair()
        first >> second
    assert (first.task_id, second.upstream_task_ids) == ("pair.a", {"pair.a"})


def test_a_task_sees_its_instance_of_the_run_before() -> None:
    with DAG("before") as made:

        @task
        def look(*, ti: Any) -> Any:
            found = ti.get_previous_ti(state="success")
            return found and [found.run_id, found.task_id, found.state, found.try_number, found.map_index, f"{found.end_date:%Z}"]

        look()
    store = Store()
    first = run_dag(made, store=store, run_id="first", logical_date="2026-01-01T00:00:00+00:00")
    second = run_dag(made, store=store, run_id="second", logical_date="2026-01-02T00:00:00+00:00")
    assert (first.results.get("look"), second.results["look"]) == (None, ["first", "look", "success", 1, -1, "UTC"])


def test_a_task_whose_dates_do_not_cover_the_run_is_left_out_as_in_a_deployment() -> None:
    with DAG("dated", start_date=datetime(2026, 1, 1, tzinfo=UTC)) as made:
        EmptyOperator(task_id="late", start_date=datetime(2026, 2, 1, tzinfo=UTC)) >> EmptyOperator(task_id="below")
        EmptyOperator(task_id="plain")
    before = run_dag(made, logical_date="2026-01-05T00:00:00+00:00", run_id="before")
    assert (before.state, before.states) == ("failed", {"below": None, "plain": "success"})
    after = run_dag(made, logical_date="2026-02-05T00:00:00+00:00", run_id="after")
    assert (after.state, set(after.states)) == ("success", {"late", "below", "plain"})
