"""The command ``db`` and the REST operation on growth (C18)."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import User
from accounts.tokens import token_for
from orchestrator.config import conf
from runs.models import DagRun, TaskInstance
from tests.factories import make_dag, make_run, make_ti

pytestmark = pytest.mark.django_db

OLD = datetime(2020, 1, 1, tzinfo=UTC)


def db(*words: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("db", *words, stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two old runs and one of now, and an archive folder of its own; returns that."""
    monkeypatch.setattr("runs.retention.archive.archive_folder", lambda: tmp_path / "archive")
    for name in ("a", "b"):
        dag = make_dag(name)
        for number, when in enumerate((OLD, OLD + timedelta(days=1), datetime(2026, 1, 1, tzinfo=UTC))):
            make_ti(make_run(dag, f"r{number}", run_after=when, end_date=when, state="success"), state="success")
    return tmp_path / "archive"


def test_check_says_that_the_database_answers() -> None:
    assert "Connection successful" in db("check")
    assert "All migrations are done" in db("check-migrations", "-t", "0")


def test_clean_deletes_old_rows_and_keeps_them_in_files(history: Path, tmp_path: Path) -> None:
    said = db("clean", "--clean-before-timestamp", "2021-01-01", "--yes", "--batch-size", "1")
    assert "dag_run: 4 rows deleted" in said
    assert "task_instance: 4 rows deleted" in said
    assert DagRun.objects.count() == 2
    kept = [json.loads(line) for file in history.glob("*task_instance__*") for line in file.read_text().splitlines()]
    assert sorted((row["dag_id"], row["run_id"]) for row in kept) == [("a", "r0"), ("a", "r1"), ("b", "r0"), ("b", "r1")]
    target = tmp_path / "csv"
    target.mkdir()
    db("export-archived", "--output-path", str(target), "-t", "dag_run")
    (exported,) = target.glob("*.csv")
    assert len(exported.read_text().splitlines()) == 5
    assert "archives deleted" in db("drop-archived", "--yes")
    assert list(history.iterdir()) == []


def test_clean_without_archive_of_chosen_tables_and_dags(history: Path) -> None:
    order = ("clean", "--clean-before-timestamp", "2021-01-01", "--yes", "--skip-archive")
    db(*order, "-t", "task_instance", "--dag-ids", "a")
    assert not history.exists()
    assert (TaskInstance.objects.filter(dag_id="a").count(), TaskInstance.objects.filter(dag_id="b").count()) == (1, 3)
    db(*order, "--exclude-dag-ids", "b")
    assert sorted(DagRun.objects.values_list("dag_id", flat=True)) == ["a", "b", "b", "b"]


def test_a_dry_run_counts_and_deletes_nothing(history: Path) -> None:
    """C18-a: with size and growth of each table."""
    rows = json.loads(db("clean", "--clean-before-timestamp", "2021-01-01", "--dry-run", "-o", "json"))
    going = {row["table"]: int(row["would_go"]) for row in rows}
    assert going["dag_run"] == 4
    assert going["task_instance"] == 4
    assert DagRun.objects.count() == 6
    assert {"rows", "rows_per_day", "bytes", "bytes_in_30_days"} <= set(rows[0])


def test_an_unknown_table_or_date_is_named(history: Path) -> None:
    with pytest.raises(CommandError, match="no tables nothing"):
        db("clean", "--clean-before-timestamp", "2021-01-01", "-t", "nothing")
    with pytest.raises(CommandError, match="'soon'"):
        db("clean", "--clean-before-timestamp", "soon", "--yes")
    with pytest.raises(CommandError, match="missing"):
        db("clean", "--yes")


def test_nothing_goes_without_a_yes(history: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda question: "n")
    with pytest.raises(CommandError, match="Nothing was done"):
        db("clean", "--clean-before-timestamp", "2021-01-01")
    assert DagRun.objects.count() == 6


def test_the_growth_of_tables_is_there_for_programs(history: Path) -> None:
    admin = User.objects.create_superuser("admin", password="a-long-password")
    client = Client(headers={"Authorization": f"Bearer {token_for(admin, lifetime_seconds=60)}"})
    body = client.get("/api/v2/retention").json()
    assert body["enabled"] is bool(conf.get("retention", "enabled"))
    assert {"dag_run", "task_instance", "log", "xcom"} <= {table["table"] for table in body["tables"]}
    assert [table["rows"] for table in body["tables"] if table["table"] == "dag_run"] == [6]
