"""C18-d: what retention deletes is written to a folder or an object store first."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import fsspec
import pytest

from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from runs.models import DagRun, TaskInstance
from runs.retention.export import ExportError
from runs.retention.round import Round
from tests.factories import make_dag, make_run, make_ti
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    def set_options(**options: object) -> None:
        for name, value in options.items():
            monkeypatch.setenv(f"AIRFLOW__RETENTION__{name.upper()}", str(value))
        conf.reload()

    set_options(keep_runs_per_dag=1, batch_rows=2)
    yield set_options
    monkeypatch.undo()
    conf.reload()


def write_history() -> None:
    """Three old runs with a task each, and a young one."""
    dag, now = make_dag(), utcnow()
    for number in range(4):
        when = now - timedelta(days=400, hours=number) if number else now
        make_ti(make_run(dag, f"r{number}", state="success", run_after=when, end_date=when), state="success")


def prune(going: Round) -> None:
    """Take steps until the round is over."""
    wait_until(lambda: going.step() is None, 60, what="the round of retention to end")


def runs_in(lines: str) -> list[str]:
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines.splitlines()]
    return sorted(row["run_id"] for row in rows)


def test_c18d_a_folder_gets_a_file_per_table_and_day(configure: Callable[..., None], tmp_path: Path) -> None:
    configure(export_path=tmp_path / "kept")
    write_history()
    days = {f"{utcnow():%Y-%m-%d}.jsonl"}
    prune(Round())
    days.add(f"{utcnow():%Y-%m-%d}.jsonl")
    assert list(DagRun.objects.values_list("run_id", flat=True)) == ["r0"]
    for table in ("dag_run", "task_instance"):
        (file,) = (tmp_path / "kept" / table).iterdir()
        assert file.name in days
        assert runs_in(file.read_text()) == ["r1", "r2", "r3"]


def test_c18d_an_object_store_gets_an_object_per_transaction(configure: Callable[..., None]) -> None:
    configure(export_path="memory://kept-by-retention")
    write_history()
    prune(Round())
    store = fsspec.filesystem("memory")
    objects = store.find("/kept-by-retention/dag_run")
    assert len(objects) == 2
    assert runs_in("".join(store.cat_file(name).decode() for name in objects)) == ["r1", "r2", "r3"]
    store.rm("/kept-by-retention", recursive=True)


def test_c18d_what_cannot_be_written_is_not_deleted_and_tried_again(configure: Callable[..., None], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    configure(export_path=tmp_path / "file")
    write_history()
    going = Round()
    with pytest.raises(ExportError, match="nothing is deleted until it can"):
        prune(going)
    assert (DagRun.objects.count(), TaskInstance.objects.count()) == (4, 4)
    (tmp_path / "file").unlink()
    prune(going)
    assert DagRun.objects.count() == 1
    assert len(list((tmp_path / "file" / "dag_run").iterdir())) == 1
