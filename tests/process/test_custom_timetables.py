"""Timetables of plugins: asked in a child, never in the server (ADR 0011)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dags_app import plugin_child
from dags_app.custom_timetables import CustomTimetable, foresee
from dags_app.plugin_child import CHILD, PluginChild, PluginCodeError
from dags_app.services import dag_set_next_dagrun
from orchestrator.config import conf
from orchestrator.sdk.definitions.timetables import AirflowTimetableInvalid, DataInterval, TimeRestriction, decode_timetable
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs.models import DagRun
from tests.factories import make_dag
from tests.integration.runs.harness import Rounds

PLUGIN = '''
import os, sys, time
from datetime import timedelta
from airflow.plugins_manager import AirflowPlugin
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable

print("noise on standard output")

class EveryDays(Timetable):
    """Counts its steps from the start date; it may also hang, break, or tell what it sees."""

    description = "every few days"

    def __init__(self, days=1, manner=""):
        self.days, self.manner = days, manner

    @property
    def summary(self):
        return f"every {self.days} days"

    def serialize(self):
        return {"days": self.days, "manner": self.manner}

    @classmethod
    def deserialize(cls, data):
        return cls(**data)

    def infer_manual_data_interval(self, *, run_after):
        return DataInterval(start=run_after.subtract(days=self.days), end=run_after)

    def next_dagrun_info(self, *, last_automated_data_interval, restriction):
        if self.manner == "hang":
            time.sleep(1000)
        if self.manner == "exit":
            os._exit(3)
        if self.manner == "break":
            raise RuntimeError("no such day")
        if self.manner == "secrets":
            raise RuntimeError(",".join(sorted(n for n in os.environ if n.startswith("AIRFLOW__") and ("DATABASE" in n or "KEY" in n))) or "none")
        start = last_automated_data_interval.end if last_automated_data_interval else restriction.earliest
        if restriction.latest and start > restriction.latest:
            return None
        return DagRunInfo.interval(start=start, end=start.add(days=self.days))

class MyPlugin(AirflowPlugin):
    name = "days"
    timetables = [EveryDays]
'''
PATIENCE = 60.0  # the first question of a test also waits for the process, which a busy machine starts slowly
START = datetime(2026, 1, 1, tzinfo=UTC)
BOUNDS = TimeRestriction(START, datetime(2026, 1, 9, tzinfo=UTC), catchup=True)


def document(days: int = 2, manner: str = "") -> dict[str, object]:
    return {"type": "days_plugin.EveryDays", "days": days, "manner": manner}


@pytest.fixture(autouse=True)
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "days_plugin.py").write_text(PLUGIN)
    monkeypatch.setenv("AIRFLOW__CORE__PLUGINS_FOLDER", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", os.environ.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "sqlite://"))
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "secret")
    monkeypatch.setattr(plugin_child, "ANSWER_SECONDS", PATIENCE)
    conf.reload()
    yield
    CHILD.close()
    monkeypatch.undo()
    conf.reload()


def test_the_server_gets_the_facts_and_the_runs_without_the_class() -> None:
    timetable = decode_timetable(document())
    assert isinstance(timetable, CustomTimetable)
    assert (timetable.summary, timetable.description, timetable.periodic) == ("every 2 days", "every few days", True)
    first = timetable.next_dagrun_info(last_automated_data_interval=None, restriction=BOUNDS)
    assert first is not None and first.data_interval == DataInterval(START, datetime(2026, 1, 3, tzinfo=UTC))
    last = DataInterval(datetime(2026, 1, 8, tzinfo=UTC), datetime(2026, 1, 10, tzinfo=UTC))
    assert timetable.next_dagrun_info(last_automated_data_interval=last, restriction=BOUNDS) is None
    manual = timetable.infer_manual_data_interval(run_after=datetime(2026, 1, 5, tzinfo=UTC))
    assert manual.start == datetime(2026, 1, 3, tzinfo=UTC)
    assert "days_plugin" not in sys.modules


@pytest.mark.parametrize(
    ("manner", "said"),
    [
        ("break", "RuntimeError: no such day"),
        ("exit", "ended its process"),
        ("hang", "gave no answer within"),
        ("secrets", "RuntimeError: none"),
    ],
)
def test_a_timetable_that_fails_says_so_and_the_next_question_is_answered(
    manner: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert decode_timetable(document()).summary == "every 2 days"
    if manner == "hang":
        monkeypatch.setattr(plugin_child, "ANSWER_SECONDS", 0.5)
    with pytest.raises(PluginCodeError, match=said):
        decode_timetable(document(manner=manner)).next_dagrun_info(last_automated_data_interval=None, restriction=BOUNDS)
    monkeypatch.setattr(plugin_child, "ANSWER_SECONDS", PATIENCE)
    assert decode_timetable(document(3)).summary == "every 3 days"


def test_a_class_that_no_plugin_has_is_named() -> None:
    with pytest.raises(PluginCodeError, match=r"days_plugin\.Nothing.*not registered"):
        _ = decode_timetable({"type": "days_plugin.Nothing"}).summary
    with pytest.raises(AirflowTimetableInvalid, match="'NoSuchTimetable' is not registered"):
        decode_timetable({"type": "NoSuchTimetable"})


def test_what_is_foreseen_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    foresee(document(), None, BOUNDS)
    monkeypatch.setattr(CHILD, "_answer", lambda *_: pytest.fail("asked again"))
    info = decode_timetable(document()).next_dagrun_info(last_automated_data_interval=None, restriction=BOUNDS)
    assert info is not None and info.run_after == datetime(2026, 1, 3, tzinfo=UTC)


def test_an_answer_that_took_long_is_new_when_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a transaction that was spared a question would ask it after all, just where answers are slow."""
    time, asked = [0.0], []

    def slow(line: str, name: str) -> dict[str, object]:
        asked.append(line)
        time[0] += plugin_child.REMEMBERED_SECONDS + 1
        return {"answer": None}

    child = PluginChild()
    monkeypatch.setattr(child, "_answer", slow)
    monkeypatch.setattr(plugin_child, "monotonic", lambda: time[0])
    question = {"timetable": document(), "ask": "next"}
    assert child.ask(question) is child.ask(question) is None
    assert len(asked) == 1
    time[0] += plugin_child.REMEMBERED_SECONDS
    child.ask(question)
    assert len(asked) == 2


@pytest.mark.django_db
def test_a_dag_with_a_custom_timetable_gets_its_runs_and_one_that_breaks_hinders_no_other() -> None:
    spec = DagSpec(
        dag_id="d",
        tasks=[TaskSpec(task_id="t", end_date="2026-01-04T00:00:00Z")],
        timetable=document(),
        start_date=START.isoformat(),
        catchup=True,
    )
    for dag_id, manner in (("d", ""), ("broken", "break")):
        spec.dag_id, spec.timetable = dag_id, document(manner=manner)
        dag = make_dag(dag_id, spec, timetable_type="days_plugin.EveryDays", catchup=True)
        dag_set_next_dagrun(dag, spec, None)
    Rounds().run()
    assert list(DagRun.objects.order_by("run_after").values_list("dag_id", "run_after__day")) == [("d", 3), ("d", 5)]
    dag.refresh_from_db()
    assert "no such day" in dag.scheduling_error
