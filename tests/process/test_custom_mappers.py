"""Partition mappers and windows of plugins: asked in a child, never in the server (ADR 0011), with the outcome that Airflow has."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts.models import AuditLog
from dags_app import plugin_child
from dags_app.models import Dag
from dags_app.plugin_child import CHILD
from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.definitions.asset import Asset as A
from orchestrator.sdk.definitions.partition_mappers import ChainMapper, MonthWindow, RollupMapper, StartOfMonthMapper
from orchestrator.sdk.definitions.partitions.codec import encode
from orchestrator.sdk.definitions.timetables import AssetTriggeredTimetable
from runs.assets.deliveries import NO_PARTITION
from runs.assets.mappers import downstream_keys, expected_keys
from runs.models import AssetDelivery, DagRun, PartitionWait
from tests.assets import happen, stored
from tests.integration.runs.harness import Rounds

PLUGIN = '''
import os, time
from datetime import datetime
from airflow.partition_mappers.base import PartitionMapper
from airflow.partition_mappers.temporal import StartOfMonthMapper
from airflow.partition_mappers.window import MonthWindow
from airflow.plugins_manager import AirflowPlugin

class Strip(PartitionMapper):
    """Takes a prefix off a key; may also hang, or tell what it sees."""

    def __init__(self, prefix, *, max_downstream_keys=None):
        super().__init__(max_downstream_keys=max_downstream_keys)
        self.prefix = prefix

    def to_downstream(self, key):
        if key == "hang":
            time.sleep(1000)
        if key == "exit":
            os._exit(3)
        if key == "secrets":
            return [n for n in os.environ if n.startswith("AIRFLOW__") and ("DATABASE" in n or "KEY" in n)] or ["none"]
        if not key.startswith(self.prefix):
            raise ValueError(f"{key} is not mine")
        return key.removeprefix(self.prefix)

    def to_partition_date(self, key):
        return datetime(2026, 1, 1) if key == "new year" else None

    def carry_partition_date(self, date):
        return date

    def serialize(self):
        return {"prefix": self.prefix}

    @classmethod
    def deserialize(cls, data):
        return cls(data["prefix"])

class Sundays(MonthWindow):
    def to_upstream(self, start):
        return [day for day in super().to_upstream(start) if day.weekday() == 6]

class SpacedMonth(StartOfMonthMapper):
    default_output_format = "%Y %m"

class Plugin(AirflowPlugin):
    name = "mappers"
    partition_mappers = [Strip, SpacedMonth]
    windows = [Sundays]
'''
PATIENCE = 60.0  # the first question of a test also waits for the process, which a busy machine starts slowly
STRIP = {"type": "mapper_plugin.Strip", "max_downstream_keys": None, "facts": {"prefix": "eu-"}}


@pytest.fixture(autouse=True)
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "mapper_plugin.py").write_text(PLUGIN)
    monkeypatch.setenv("AIRFLOW__CORE__PLUGINS_FOLDER", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", os.environ.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "sqlite://"))
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "secret")
    monkeypatch.setattr(plugin_child, "ANSWER_SECONDS", PATIENCE)
    conf.reload()
    yield
    CHILD.close()
    monkeypatch.undo()
    conf.reload()


class Stored(AssetTriggeredTimetable):
    """A partitioned schedule as the parse process has stored it."""

    def __init__(self, mapper: Any, condition: Any = None) -> None:
        super().__init__((condition or A("a")).serialize())
        self.mapper = mapper

    def serialize(self) -> dict[str, Any]:
        """The facts of a PartitionedAssetTimetable."""
        facts = {"asset_condition": self.asset_condition, "default_partition_mapper": self.mapper}
        return {**facts, "partition_mapper_config": []}


def partitioned(dag_id: str, mapper: Any, monkeypatch: pytest.MonkeyPatch, **row: Any) -> Dag:
    import tests.assets

    monkeypatch.setattr(
        tests.assets, "encode_timetable", lambda timetable: {"type": "PartitionedAssetTimetable", **timetable.serialize()}
    )
    return stored(dag_id, Stored(mapper), **row)


def test_the_server_gets_keys_and_windows_without_the_class_or_the_secrets() -> None:
    assert downstream_keys(STRIP, "eu-sales") == ["sales"]
    chain = {"type": "ChainMapper", "mappers": [STRIP, encode(StartOfMonthMapper(input_format="%Y-%m-%d"))]}
    assert downstream_keys(chain, "eu-2026-03-09") == ["2026-03"]
    month = {"type": "mapper_plugin.SpacedMonth", "facts": StartOfMonthMapper(output_format="%Y %m").serialize()}
    window = {"type": "mapper_plugin.Sundays", "facts": {"direction": "forward"}}
    rollup = {"type": "RollupMapper", "upstream_mapper": month, "window": window, "wait_policy": {"type": "WaitForAll"}}
    assert downstream_keys(rollup, "2026-03-09T00:00:00") == ["2026 03"]
    days = [f"2026-03-{day:02d}T00:00:00" for day in (1, 8, 15, 22, 29)]
    assert expected_keys(rollup, "2026 03") == set(days)
    assert downstream_keys(STRIP, "secrets") == ["none"]
    assert "mapper_plugin" not in sys.modules


@pytest.mark.django_db
def test_events_make_the_runs_that_the_mapper_of_a_plugin_names(monkeypatch: pytest.MonkeyPatch) -> None:
    partitioned("d", STRIP, monkeypatch)
    happen("a", "eu-new year")
    assert not PartitionWait.objects.exists()  # nobody's code runs where an event is written
    rounds = Rounds()
    rounds.run()
    run = DagRun.objects.get()
    assert (run.partition_key, run.partition_date) == ("new year", datetime(2026, 1, 1, tzinfo=UTC))
    assert not AssetDelivery.objects.exists()
    happen("a", "us-x")
    rounds.run()
    assert AssetDelivery.objects.get().dropped_reason == NO_PARTITION
    note = AuditLog.objects.get()
    assert note.event == "failed to map partition_key" and "us-x is not mine" in str(note.extra)


@pytest.mark.django_db
@pytest.mark.parametrize(("key", "said"), [("hang", "gave no answer within"), ("exit", "ended its process")])
def test_a_silent_mapper_keeps_its_events_and_hinders_no_other_dag(key: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    partitioned("silent", STRIP, monkeypatch)
    happen("a", key)
    assert downstream_keys(STRIP, "eu-warm") == ["warm"]  # the process is there: only the answer is waited for
    if key == "hang":
        monkeypatch.setattr(plugin_child, "ANSWER_SECONDS", 0.5)
    rounds = Rounds()
    rounds.run()
    assert said in Dag.objects.get(pk="silent").scheduling_error
    Dag.objects.update(scheduling_retry_at=utcnow() + timedelta(hours=1))
    monkeypatch.setattr(plugin_child, "ANSWER_SECONDS", PATIENCE)
    partitioned("sound", STRIP, monkeypatch)
    happen("a", "eu-x")
    rounds.run()
    assert [run.dag_id for run in DagRun.objects.all()] == ["sound"]
    assert AssetDelivery.objects.filter(dag_id="silent", dropped_reason="").count() == 2


@pytest.mark.django_db
def test_a_rolled_up_partition_waits_for_the_window_of_a_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    window = {"type": "mapper_plugin.Sundays", "facts": {"direction": "forward"}}
    usual = encode(RollupMapper(upstream_mapper=StartOfMonthMapper(), window=MonthWindow()))
    partitioned("d", {**usual, "window": window}, monkeypatch)
    rounds = Rounds()
    days = [f"2026-02-{day:02d}T00:00:00" for day in (1, 8, 15, 22)]
    for day in days[:3]:
        happen("a", day)
    rounds.run()
    assert not DagRun.objects.exists()
    happen("a", days[3])
    rounds.run()
    assert DagRun.objects.get().partition_key == "2026-02"


def test_an_unregistered_class_is_refused_when_the_file_is_parsed() -> None:
    from orchestrator.sdk.definitions.partition_mappers import PartitionMapper, WaitForAll, Window

    class Own(PartitionMapper):
        def to_downstream(self, key: str) -> str:
            return key

    class OwnWindow(Window):
        def to_upstream(self, decoded_downstream: Any) -> list[Any]:
            return [decoded_downstream]

    class OwnPolicy(WaitForAll):
        pass

    with pytest.raises(ValueError, match="Own is not registered; make it known through a plugin's `partition_mappers`"):
        encode(ChainMapper(Own(), Own()))
    with pytest.raises(ValueError, match="OwnWindow is not registered; make it known through a plugin's `windows`"):
        encode(OwnWindow())
    with pytest.raises(ValueError, match="own ones are not taken"):
        encode(RollupMapper(upstream_mapper=StartOfMonthMapper(), window=MonthWindow(), wait_policy=OwnPolicy()))
