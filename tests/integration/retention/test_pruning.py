"""What retention deletes and what it leaves (C18)."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import transaction

from accounts.models import AuditLog
from dags_app.models import Asset, DagVersion
from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.ids import new_id
from orchestrator.processes.models import Process
from runs.models import AssetDelivery, AssetEvent, Callback, DagRun, StateChange, TaskInstance, XCom
from runs.retention.chunks import chunk_delete, chunks
from runs.retention.files import old_logs_remove, run_files_remove
from runs.retention.old_runs import OldRun
from runs.retention.round import Round
from runs.retention.rules import Rules, configured_rules, rules_before
from tests.factories import make_dag, make_run, make_ti

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 6, 1, tzinfo=UTC)
OLD, YOUNG = NOW - timedelta(days=400), NOW - timedelta(days=10)


def rules(**given: object) -> Rules:
    moment = NOW - timedelta(days=100)
    values = {"runs_before": moment, "events_before": moment, "audit_before": moment, "processes_before": moment, **given}
    return Rules(**values)  # type: ignore[arg-type]


def prune(given: Rules, tables: list[str] | None = None) -> list[int]:
    """Delete everything that goes; the sizes of the transactions."""
    sizes = []
    for chunk in chunks(given, tables):
        with transaction.atomic():
            sizes.append(chunk_delete(chunk)[0])
    return sizes


def old_run(dag, run_id: str, **fields: object) -> DagRun:
    when = fields.pop("when", OLD)
    return make_run(dag, run_id, **{"state": "success", "run_after": when, "end_date": when, **fields})  # type: ignore[arg-type]


def test_an_old_run_goes_with_everything_that_is_its_own_and_the_newest_stays() -> None:
    dag = make_dag()
    old, young = old_run(dag, "old"), old_run(dag, "young", when=YOUNG)
    for run in (old, young):
        ti = make_ti(run, state="success")
        StateChange.objects.create(dag_run=run, ti_id=ti.pk, at=OLD)
        place = {"dag_id": "d", "run_id": run.run_id, "task_id": "t", "key": "k"}
        XCom.objects.create(dag_run=run, value="1", timestamp=OLD, **place)
    prune(rules())
    assert list(DagRun.objects.values_list("run_id", flat=True)) == ["young"]
    assert {model.objects.count() for model in (TaskInstance, StateChange, XCom)} == {1}


def test_the_last_runs_of_a_dag_stay_however_old_they_are() -> None:
    dag = make_dag()
    for number in range(5):
        old_run(dag, f"r{number}", when=OLD + timedelta(days=number))
    prune(rules(keep_runs=2))
    assert sorted(DagRun.objects.values_list("run_id", flat=True)) == ["r3", "r4"]


@pytest.mark.parametrize("state", ["queued", "running"])
def test_an_unfinished_run_never_goes(state: str) -> None:
    dag = make_dag()
    old_run(dag, "open", state=state, end_date=None)
    make_ti(DagRun.objects.get(), state="success")
    old_run(dag, "young", when=YOUNG)
    prune(rules())
    assert DagRun.objects.filter(run_id="open").exists()
    assert TaskInstance.objects.count() == 1


def test_a_run_of_long_ago_that_ended_lately_stays() -> None:
    dag = make_dag()
    old_run(dag, "again", end_date=YOUNG)
    old_run(dag, "young", when=YOUNG)
    prune(rules())
    assert DagRun.objects.filter(run_id="again").exists()


def test_a_run_that_is_cleared_between_choice_and_deletion_keeps_all_its_rows() -> None:
    dag = make_dag()
    make_ti(old_run(dag, "old"), state="success")
    old_run(dag, "young", when=YOUNG)
    for chunk in chunks(rules()):
        DagRun.objects.filter(run_id="old").update(state="queued")
        with transaction.atomic():
            assert chunk_delete(chunk) == (0, [])
    assert TaskInstance.objects.count() == 1
    assert DagRun.objects.count() == 2


def test_no_transaction_deletes_more_rows_than_the_batch() -> None:
    dag = make_dag()
    old = old_run(dag, "old")
    old_run(dag, "young", when=YOUNG)
    for index in range(25):
        make_ti(old, state="success", map_index=index)
    sizes = prune(rules(batch=10))
    assert max(sizes) == 10
    assert TaskInstance.objects.count() == 0


def test_dags_have_days_of_their_own_by_pattern() -> None:
    for name in ("billing_a", "scratch_b", "other"):
        dag = make_dag(name)
        old_run(dag, "old")
        old_run(dag, "middle", when=NOW - timedelta(days=50))
        old_run(dag, "new", when=NOW)
    prune(rules(runs_before_by_dag={"billing_*": None, "scratch_*": NOW - timedelta(days=7)}))
    left = sorted(DagRun.objects.values_list("dag_id", "run_id"))
    assert [run for dag, run in left if dag == "billing_a"] == ["middle", "new", "old"]
    assert [run for dag, run in left if dag == "scratch_b"] == ["new"]
    assert [run for dag, run in left if dag == "other"] == ["middle", "new"]


def test_versions_that_a_kept_run_uses_stay_and_unused_ones_go() -> None:
    """C18-c."""
    dag = make_dag()
    used, unused = (
        DagVersion.objects.create(dag=dag, version_number=n, structure_hash=str(n), attributes_hash="a", document="{}")
        for n in (2, 3)
    )
    old_run(dag, "young", when=YOUNG)
    DagRun.objects.update(created_dag_version=used)
    DagVersion.objects.update(created_at=OLD)
    prune(rules())
    assert set(DagVersion.objects.values_list("pk", flat=True)) == {used.pk, dag.latest_version_id}
    assert unused.pk not in {used.pk, dag.latest_version_id}


def test_events_go_when_every_consumer_took_them() -> None:
    dag, asset = make_dag(), Asset.objects.create(name="a", uri="a")
    waiting, taken = (AssetEvent.objects.create(asset=asset, timestamp=OLD) for _ in range(2))
    run = old_run(dag, "young", when=YOUNG)
    for event, taker in ((waiting, None), (taken, run)):
        AssetDelivery.objects.create(event=event, dag=dag, asset=asset, dag_run=taker, created_at=OLD)
    AssetEvent.objects.create(asset=asset, timestamp=YOUNG)
    prune(rules(batch=1))
    assert sorted(AssetEvent.objects.values_list("timestamp", flat=True)) == [OLD, YOUNG]
    assert AssetEvent.objects.filter(pk=waiting.pk).exists()


def test_audit_rows_callbacks_and_dead_processes_go_by_their_age() -> None:
    for when in (OLD, YOUNG):
        AuditLog.objects.create(event="e", when=when)
        Process.objects.create(kind="scheduler", hostname="h", pid=1, started_at=when, heartbeat_at=when)
        for state in ("pending", "delivered"):
            Callback.objects.create(kind="k", dedupe_key=str(new_id()), state=state, created_at=when)
    prune(rules())
    assert (AuditLog.objects.count(), Process.objects.count()) == (1, 1)
    assert sorted(Callback.objects.values_list("state", "created_at")) == [
        ("delivered", YOUNG),
        ("pending", OLD),
        ("pending", YOUNG),
    ]


def test_only_the_named_tables_and_dags_are_cleaned() -> None:
    for name in ("a", "b"):
        dag = make_dag(name)
        make_ti(old_run(dag, "old"), state="success")
        old_run(dag, "young", when=YOUNG)
    prune(rules_before(NOW, batch=10, only=frozenset({"a"})), ["task_instance"])
    assert list(TaskInstance.objects.values_list("dag_id", flat=True)) == ["b"]
    assert DagRun.objects.count() == 4


def test_a_round_deletes_a_chunk_at_a_time_and_the_files_of_the_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__RETENTION__KEEP_RUNS_PER_DAG", "1")
    conf.reload()
    try:
        dag, now = make_dag(), utcnow()
        make_ti(old_run(dag, "old", when=now - timedelta(days=400)), state="success")
        old_run(dag, "young", when=now)
        logs = tmp_path / "dag_id=d" / "run_id=old" / "task_id=t"
        logs.mkdir(parents=True)
        (logs / "attempt=1.log").write_text("x")
        going, steps = Round(), 0
        while going.step() is not None:
            steps += 1
        going.files.join()
    finally:
        monkeypatch.undo()
        conf.reload()
    assert steps >= 2
    assert list(DagRun.objects.values_list("run_id", flat=True)) == ["young"]
    assert not (tmp_path / "dag_id=d").exists()


def test_retention_is_on_and_keeps_what_the_requirement_says() -> None:
    """C18-a."""
    found = configured_rules(NOW)
    assert conf.get("retention", "enabled") is True
    assert (NOW - (found.runs_before or NOW)).days == 365
    assert (NOW - (found.audit_before or NOW)).days == 730


def test_log_files_past_their_days_go_and_files_of_others_stay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(tmp_path))
    conf.reload()
    try:
        ours, foreign = tmp_path / "dag_id=d" / "run_id=r", tmp_path / "other"
        for folder in (ours, foreign):
            folder.mkdir(parents=True)
            (folder / "attempt=1.log").write_text("x")
            os.utime(folder / "attempt=1.log", (0, OLD.timestamp()))
        assert old_logs_remove(NOW) == 1
        run_files_remove([OldRun(1, "../other", "r"), OldRun(1, "x/../..", "other")])
    finally:
        monkeypatch.undo()
        conf.reload()
    assert (foreign / "attempt=1.log").exists()
    assert not (tmp_path / "dag_id=d").exists()


def test_c18e_logs_of_parts_and_of_parsing_age_wherever_they_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(tmp_path / "logs"))
    monkeypatch.setenv("AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY", str(tmp_path / "parsing"))
    conf.reload()
    try:
        names = ("logs/standalone/standalone.log.3", "parsing/2020-01-01/dags-folder/a.py.log.1", "parsing/theirs/other.log")
        for name in (*names, "logs/standalone/standalone.log"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text("x")
        for name in names:
            os.utime(tmp_path / name, (0, OLD.timestamp()))
        assert old_logs_remove(NOW) == 2
    finally:
        monkeypatch.undo()
        conf.reload()
    assert (tmp_path / "parsing/theirs/other.log").exists()
    assert (tmp_path / "logs/standalone/standalone.log").exists()
    assert not (tmp_path / "parsing/2020-01-01").exists()
