"""C28: the actions of ``dags`` and ``tasks`` that read and change what is stored, with Airflow's columns and sentences."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditLog
from dags_app.models import Dag
from orchestrator.kernel.clock import utcnow
from orchestrator.processes.services import process_register
from orchestrator.sdk.definitions.timetables import CronTriggerTimetable, encode_timetable
from runs.models import DagRun, TaskInstance, TaskState
from tests.factories import make_dag, make_run, make_ti
from tests.specs import dag as spec

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 1, 5, tzinfo=UTC)


def said(*words: object) -> str:
    out = io.StringIO()
    call_command(*map(str, words), stdout=out, stderr=io.StringIO())
    return out.getvalue()


def rows(*words: object) -> Any:
    return json.loads(said(*words, "-o", "json"))


def test_a_run_is_triggered_with_airflows_columns() -> None:
    make_dag()
    [shown] = rows("dags", "trigger", "d", "-r", "mine", "-c", '{"a": 1}', "-l", "2026-01-05T00:00:00.5+00:00")
    assert list(shown) == [
        *("conf", "dag_id", "dag_run_id", "data_interval_start", "data_interval_end", "end_date", "last_scheduling_decision"),
        *("logical_date", "run_type", "start_date", "state", "triggering_user_name"),
    ]
    assert (shown["dag_run_id"], shown["state"], shown["conf"]) == ("mine", "queued", {"a": "1"})
    assert shown["logical_date"] == "2026-01-05 00:00:00+00:00"
    run = DagRun.objects.get()
    assert (run.conf, run.triggered_by) == ({"a": 1}, "cli")
    assert AuditLog.objects.filter(event="trigger_dag_run", run_id="mine").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nope",), "no DAG 'nope'"),
        (("d", "-r", "r"), "already"),
        (("d", "-r", "scheduled__x"), "reserved"),
        (("d", "-r", "x" * 251), "251 characters"),
        (("d", "-c", "[]"), "--conf must be a JSON object"),
        (("d", "-l", "someday"), "no date"),
    ],
)
def test_a_run_that_cannot_be_triggered_is_refused_with_a_sentence(words: tuple[str, ...], sentence: str) -> None:
    make_run(make_dag())
    with pytest.raises(CommandError, match=sentence):
        said("dags", "trigger", *words)
    assert DagRun.objects.count() == 1


def test_dags_are_switched_one_by_one_and_by_pattern() -> None:
    for name in ("a1", "a2", "b"):
        make_dag(name, is_paused=True)
    assert rows("dags", "unpause", "a1") == [{"dag_id": "a1", "is_paused": "False"}]
    assert "No paused DAGs" in said("dags", "unpause", "a1")
    assert [row["dag_id"] for row in rows("dags", "unpause", "^a", "--treat-dag-id-as-regex", "-y")] == ["a2"]
    assert set(Dag.objects.filter(is_paused=True).values_list("pk", flat=True)) == {"b"}
    assert len(rows("dags", "pause", "a.", "--treat-dag-id-as-regex", "--yes")) == 2
    for words, sentence in ((("nope",), "no DAG"), (("(", "--treat-dag-id-as-regex"), "no regular expression")):
        with pytest.raises(CommandError, match=sentence):
            said("dags", "pause", *words)


def test_a_dag_is_deleted_unless_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    ti = make_ti(make_run(make_dag()), state="running")
    with pytest.raises(CommandError, match="still running"):
        said("dags", "delete", "d", "-y")
    TaskInstance.objects.filter(pk=ti.pk).update(state="success")
    monkeypatch.setattr("builtins.input", lambda question: "n")
    with pytest.raises(CommandError, match="Nothing was done"):
        said("dags", "delete", "d")
    assert "1 runs were deleted" in said("dags", "delete", "d", "-y")
    assert not Dag.objects.exists()


def test_runs_are_listed_newest_first_and_their_states_told() -> None:
    dag = make_dag()
    make_run(dag, "old", run_after=DAY, logical_date=DAY, state="success", end_date=DAY)
    make_run(dag, "new", run_after=DAY + timedelta(days=1), conf={"a": 1}, run_type="backfill")
    assert [row["run_id"] for row in rows("dags", "list-runs", "d")] == ["new", "old"]
    assert rows("dags", "list-runs", "d", "--no-backfill", "--state", "SUCCESS", "-s", "2026-01-01", "-e", "2026-01-05") == [
        {"dag_id": "d", "run_id": "old", "state": "success"}
        | dict.fromkeys(("run_after", "logical_date", "end_date"), "2026-01-05T00:00:00+00:00")
        | {"start_date": "2026-01-05T12:00:00+00:00"}
    ]
    assert said("dags", "state", "d", "2026-01-05") == "success\n"
    assert said("dags", "state", "d", "new") == 'running, {"a": 1}\n'
    assert said("dags", "state", "d", "nothing") == "None\n"


def test_a_dag_is_shown_with_the_fields_of_the_rest_api() -> None:
    make_dag(owners="me, you", description="what")
    [shown] = rows("dags", "details", "d")
    assert (shown["owners"], shown["description"], shown["is_paused"], shown["max_active_tasks"]) == (
        *(["me", "you"], "what"),
        *("False", "16"),
    )
    assert said("dags", "details", "d").startswith("property_name ")


def test_the_next_runs_are_told_by_field_and_as_a_table() -> None:
    day = {"next_dagrun_create_after": DAY, "next_dagrun_data_interval_start": DAY, "next_dagrun_data_interval_end": DAY}
    make_dag(spec=replace(spec("t"), timetable=encode_timetable(CronTriggerTimetable("0 6 * * *", "UTC")), catchup=True), **day)
    assert said("dags", "next-execution", "d", "-n", "2").split() == ["2026-01-05T00:00:00+00:00", "2026-01-05T06:00:00+00:00"]
    assert said("dags", "next-execution", "d", "--field", "run_after").startswith("2026-01-05")
    assert said("dags", "next-execution", "d", "--table").split("\n")[0].split(" | ")[0].strip() == "logical_date"
    make_dag("never")
    assert said("dags", "next-execution", "never") == "None\n"
    with pytest.raises(CommandError, match="cannot go together"):
        said("dags", "next-execution", "d", "--table", "--field", "run_after")


def test_parts_of_the_platform_are_listed_as_jobs() -> None:
    process_register("scheduler")
    [shown] = rows("dags", "list-jobs", "--state", "running", "--limit", "5")
    assert (shown["job_type"], shown["state"], shown["end_date"]) == ("SchedulerJob", "running", "None")
    assert rows("dags", "list-jobs", "--state", "failed") == []


def test_a_graph_is_drawn_from_the_database_and_as_a_picture_with_graphviz(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = spec("a >> b")
    document.dependencies = [
        {"source": "d", "target": "asset", "dependency_type": "asset", "label": "out", "dependency_id": "out"},
        {"source": "d", "target": "other", "dependency_type": "trigger", "label": "go", "dependency_id": "go"},
    ]
    make_dag(spec=document)
    assert '"a" -> "b"' in said("dags", "show", "d")
    shown = said("dags", "show-dependencies")
    assert '"d" -> "asset: out"' in shown
    assert '"d" -> "other" [label="trigger go"]' in shown
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(CommandError, match="apt-get install graphviz"):
        said("dags", "show", "d", "--save", tmp_path / "d.svg")
    with pytest.raises(CommandError, match="need Graphviz"):
        said("dags", "show", "d", "--imgcat")
    program = tmp_path / "dot"
    program.write_text('#!/bin/sh\ncat > /dev/null\nprintf "picture of $1"\n')
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(program))
    said("dags", "show-dependencies", "--save", tmp_path / "d.svg")
    assert (tmp_path / "d.svg").read_text() == "picture of -Tsvg"


def test_tasks_of_a_run_tell_their_states_and_what_they_wait_for() -> None:
    run = make_run(make_dag(spec=spec("a >> b")), logical_date=DAY)
    make_ti(run, "a", state="success", start_date=DAY, end_date=DAY)
    make_ti(run, "b", state=None)
    assert rows("tasks", "states-for-dag-run", "d", "2026-01-05")[0] == {
        **{"dag_id": "d", "logical_date": "2026-01-05T00:00:00+00:00", "task_id": "a", "state": "success"},
        **dict.fromkeys(("start_date", "end_date"), "2026-01-05T00:00:00+00:00"),
    }
    assert said("tasks", "state", "d", "a", "r") == "success\n"
    assert said("tasks", "failed-deps", "d", "a", "r") == "Task instance dependencies are all met.\n"
    Dag.objects.update(is_paused=True)
    assert said("tasks", "failed-deps", "d", "b", "r").split("\n")[:2] == [
        "Task instance dependencies not met:",
        "Dag Not Paused: DAG d is paused",
    ]
    for words, sentence in ((("d", "a", "x"), "no run"), (("d", "c", "r"), "it has a, b"), (("x", "a", "r"), "no DAG")):
        with pytest.raises(CommandError, match=sentence):
            said("tasks", "state", *words)


def test_a_task_of_a_run_that_has_not_begun_has_no_state_yet() -> None:
    make_run(make_dag(), state="queued")
    assert said("tasks", "state", "d", "t", "r") == "None\n"
    assert "Dagrun Running: run r is queued, not running" in said("tasks", "failed-deps", "d", "t", "r")
    assert not TaskInstance.objects.exists()


def test_tasks_are_cleared_by_pattern_state_and_date() -> None:
    dag = make_dag(spec=spec("load_a >> load_b >> report"))
    for day in range(2):
        run = make_run(dag, f"r{day}", logical_date=DAY + timedelta(days=day), state="failed")
        for task_id, state in (("load_a", "success"), ("load_b", "failed"), ("report", "upstream_failed")):
            make_ti(run, task_id, state=state)
    assert "nothing was cleared" in said("tasks", "clear", "d", "-t", "^report$", "-r", "-y")
    assert "1 task instances" in said("tasks", "clear", "d", "-t", "load_b", "-e", "2026-01-05", "-y")
    assert "2 task instances" in said("tasks", "clear", "d", "-t", "load_b", "-d", "-f", "-s", "2026-01-06", "-y")
    states = dict(TaskInstance.objects.filter(run_id="r1").values_list("task_id", "state"))
    assert states == {"load_a": "success", "load_b": None, "report": None}
    assert DagRun.objects.get(run_id="r1").state == "queued"
    assert "task instances cleared" in said("tasks", "clear", "^d", "-R", "-u", "-t", "report", "-y")
    with pytest.raises(CommandError, match="bundle 'dags-folder'"):
        said("tasks", "clear", "d", "-B", "other", "-y")


def test_partitions_of_a_dag_in_a_zone_without_a_name_are_found_by_their_dates() -> None:
    dag = make_dag(spec=replace(spec("t"), timezone="+03:00"))
    day = datetime(2026, 1, 5, tzinfo=timezone(timedelta(hours=3)))
    for number in range(2):
        run = make_run(dag, f"r{number}", partition_key="x", partition_date=day - timedelta(days=number), state="success")
        make_ti(run, state="success")
    assert "across 1" in said("dags", "clear", "d", "--partition-date-start", "2026-01-05", "-y")


def test_runs_are_cleared_by_id_and_by_partition() -> None:
    dag = make_dag()
    for key in ("x", "y"):
        make_ti(make_run(dag, key, partition_key=key, partition_date=DAY, state="success"), state="success")
    assert "Cleared 1 task instance(s) across 1 Dag run(s)." in said("dags", "clear", "d", "--run-id", "x", "-y")
    assert "No matching" in said("dags", "clear", "d", "--partition-key", "z", "-y")
    assert "across 2" in said("dags", "clear", "d", "--partition-date-start", "2026-01-05", "-y")
    for words in ((), ("--run-id", "x", "--partition-key", "x")):
        with pytest.raises(CommandError, match="exactly one"):
            said("dags", "clear", "d", *words)
    with pytest.raises(CommandError, match="after its end"):
        said("dags", "clear", "d", "--partition-date-start", "2026-01-06", "--partition-date-end", "2026-01-05")


def test_runs_lose_their_partition() -> None:
    make_ti(make_run(make_dag(), partition_key="k", partition_date=DAY, state="success"), state="success")
    dry = said("partitions", "clear", "-d", "d", "--date", "2026-01-01~2026-01-31", "--dry-run", "--clear-task-instances")
    assert "partition_key='k' -> None" in dry
    assert "would clear task instances on 1 DagRun(s) (1 task instance(s))" in dry
    assert DagRun.objects.get().partition_key == "k"
    assert "Cleared partition fields on 1 DagRun(s)." in said("partitions", "clear", "-d", "d", "-k", "k")
    assert DagRun.objects.get().partition_date is None
    assert "already cleared" in said("partitions", "clear", "-d", "d", "-r", "r")
    assert "No matching" in said("partitions", "clear", "-d", "d", "-k", "k")
    for words, sentence in ((("--date", "2026-01-01"), "2026-01-01~"), ((), "exactly one")):
        with pytest.raises(CommandError, match=sentence):
            said("partitions", "clear", "-d", "d", *words)


def test_values_of_tasks_that_have_expired_are_deleted_at_once() -> None:
    run = make_run(make_dag())
    now = utcnow()
    for key, hours in (("old", -1), ("young", 1)):
        facts = {"updated_at": now, "expires_at": now + timedelta(hours=hours)}
        TaskState.objects.create(dag_run=run, task_id="t", key=key, value="1", **facts)
    assert "key 'old'" in said("state-store".replace("-", "_"), "clean", "--dry-run")
    assert "Deleted 1 " in said("state_store", "clean")
    assert "Nothing to delete" in said("state_store", "clean")
    assert TaskState.objects.get().key == "young"


@pytest.mark.django_db(transaction=True)
def test_all_files_are_parsed_anew_on_demand(airflow_home: Path) -> None:
    file = airflow_home / "dags" / "anew.py"
    file.write_text('from airflow.sdk import DAG\ndag = DAG("anew", schedule=None)\n')
    try:
        assert "1 files parsed, 0 with errors" in said("dags", "reserialize")
        assert "1 files parsed" in said("dags", "reserialize", "-B", "dags-folder")
        assert [(row["file"], row["dags"]) for row in rows("dags", "report")] == [("anew.py", ["anew"])]
    finally:
        file.unlink()
    assert Dag.objects.filter(pk="anew").exists()
    with pytest.raises(CommandError, match="no bundle 'nope'"):
        said("dags", "reserialize", "-B", "nope")
