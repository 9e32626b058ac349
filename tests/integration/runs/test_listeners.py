"""Decides whether listeners of plugins hear of runs: once written, in order, outside of the scheduler, and at no cost without any."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone

from dags_app.plugins import forget_hooks, plugins_store
from dags_app.processor.assets import assets_store
from orchestrator.config import conf
from orchestrator.kernel.ids import new_id
from orchestrator.kernel.readiness import readable
from orchestrator.sdk.definitions.asset import Asset, AssetAlias
from orchestrator.sdk.parsing.extras import told
from runs import transitions
from runs.listeners.deliver import TellListeners
from runs.models import Callback, DagRun
from tests.assets import happen, spec, stored
from tests.factories import make_dag, make_run
from tests.waiting import wait_until

LISTENER = """
import sys
from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

@hookimpl
def on_dag_run_running(dag_run, msg):
    with open({out!r}, "a") as file:
        print(dag_run.dag_id, dag_run.run_id, dag_run.conf["k"], dag_run.start_date.year > 2000, msg, file=file)

@hookimpl
def on_dag_run_failed(dag_run, msg):
    with open({out!r}, "a") as file:
        print(dag_run.state, dag_run.end_date is not None, msg, file=file)

class Ear(AirflowPlugin):
    name = "ear"
    listeners = [sys.modules[__name__]]
"""
HOOKS = {"name": "ear", "source": "s", "hooks": ["on_dag_run_running", "on_dag_run_failed"]}


@pytest.fixture
def run(db):
    yield make_run(make_dag("d"), state="queued", conf={"k": "v"})
    forget_hooks()


def listen(*plugins) -> None:
    plugins_store({"plugins": list(plugins), "errors": []}, timezone.now())


def start(run: DagRun) -> None:
    with transaction.atomic():
        transitions.start_run(run.pk, scheduler_id=new_id(), now=timezone.now())


def test_without_listeners_nothing_is_written(run):
    forget_hooks()
    start(run)
    assert not Callback.objects.exists()


def test_a_change_that_is_taken_back_leaves_no_event(run):
    listen(HOOKS)
    with pytest.raises(RuntimeError), transaction.atomic():
        transitions.start_run(run.pk, scheduler_id=new_id(), now=timezone.now())
        raise RuntimeError
    assert not Callback.objects.exists()


def test_only_hooks_that_somebody_implements_are_written(run):
    listen(HOOKS | {"hooks": ["on_dag_run_success"]})
    start(run)
    assert not Callback.objects.exists()


def test_events_of_assets_are_told_with_what_airflow_tells_of_them(db):
    stored("d", [Asset("a", extra={"x": 1})], outlets=[AssetAlias("al")])
    listen(HOOKS | {"hooks": ["on_asset_changed", "on_asset_event_emitted", "on_asset_created"]})
    happen("a", "us", aliases=["al"], n=1)
    changed, emitted = Callback.objects.order_by("pk").values_list("payload", flat=True)
    asset = told(changed["arguments"])
    assert (changed["hook"], asset.asset.name, asset.asset.extra) == ("on_asset_changed", "a", {"x": 1})
    event = told(emitted["arguments"]).asset_event
    assert (emitted["hook"], event.asset.uri, event.extra, event.partition_key) == ("on_asset_event_emitted", "a", {"n": 1}, "us")
    assert ([alias.name for alias in event.source_aliases], event.source_dag_id, event.partition_date) == (["al"], None, None)
    forget_hooks()


def test_what_a_dag_file_names_first_is_told_once(db):
    document = spec("d", [Asset("a")], outlets=[AssetAlias("al", group="g"), Asset("a")])
    dag = make_dag("d", document)
    with transaction.atomic():
        told_first, told_again = assets_store(dag, document), assets_store(dag, document)
    assert told_first == [
        ("on_asset_created", {"asset": {"name": "a", "uri": "a", "group": "asset", "extra": {"__dict__": {}}}}),
        ("on_asset_alias_created", {"asset_alias": {"name": "al", "group": "g"}}),
    ]
    assert told_again == []


def test_listeners_are_told_in_order_in_a_process_of_their_own(run, tmp_path: Path, monkeypatch):
    out, folder = tmp_path / "out", tmp_path / "plugins"
    folder.mkdir()
    (folder / "ear.py").write_text(LISTENER.format(out=str(out)))
    monkeypatch.setitem(conf._values, ("core", "plugins_folder"), str(folder))
    monkeypatch.setitem(conf._values, ("core", "load_examples"), False)
    monkeypatch.setitem(conf._values, ("logging", "dag_processor_child_process_log_directory"), str(tmp_path / "logs"))
    listen(HOOKS)
    start(run)
    with transaction.atomic():
        transitions.finish_run(run.pk, "failed", now=timezone.now(), whatever_the_news=True)
    assert list(Callback.objects.values_list("kind", "next_attempt_at")) == [("listener", None)] * 2
    duty = TellListeners()
    try:
        wait_until(lambda: _round(duty) and not Callback.objects.exclude(state="delivered").exists(), what="the events")
    finally:
        duty.close()
    assert out.read_text().splitlines() == ["d r v True started", "failed True task_failure"]


def test_events_of_a_process_that_died_are_told_again_and_given_up_in_the_end(run):
    listen(HOOKS)
    start(run)
    past = timezone.now() - timedelta(seconds=1)
    Callback.objects.update(state="running", lease_until=past, dispatch_id=new_id())
    from orchestrator.sdk.parsing.protocol import ParseResponse
    from runs.listeners.deliver import _claim, _finish

    for attempt in (1, 2, 3):
        mine = new_id()
        with transaction.atomic():
            [row] = _claim(timezone.now(), mine)
            _finish([row.pk], ParseResponse(id=1, import_error="the process died"), new_id())
            assert Callback.objects.get().state == "running", "another hand-over says nothing"
            _finish([row.pk], ParseResponse(id=1, import_error="the process died"), mine)
        assert Callback.objects.get().attempts == attempt
    assert Callback.objects.get().state == "failed"


def _round(duty: TellListeners) -> bool:
    duty.run_once(10)
    client = duty._client
    if client is not None and client.fileno is not None:
        readable(0.1, [client.fileno])
    return True
