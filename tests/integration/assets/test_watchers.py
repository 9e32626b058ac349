"""Watchers of assets: their triggers, and what their events become."""

from __future__ import annotations

import pytest

from dags_app.models import AssetWatcher, Dag
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.definitions.asset import Asset as A
from orchestrator.sdk.definitions.asset import AssetWatcher as Watcher
from orchestrator.sdk.triggers.file import FileDeleteTrigger
from runs.assets.watchers import triggers_settle, watcher_event
from runs.models import AssetEvent, Trigger
from tests.assets import changed, stored
from tests.integration.triggerer.lanes import Triggerer

pytestmark = pytest.mark.django_db


def watched(name: str, path: str = "/tmp/flag", watcher: str = "w") -> A:
    return A(name, watchers=[Watcher(watcher, FileDeleteTrigger(path))])


def settle() -> list[int]:
    triggers_settle(utcnow())
    return list(Trigger.objects.order_by("pk").values_list("pk", flat=True))


def test_a_watcher_watches_while_a_dag_that_is_switched_on_listens():
    dag = stored("d", watched("a"), is_paused=True)
    assert settle() == []
    Dag.objects.update(is_paused=False)
    (first,) = settle()
    assert settle() == [first]
    changed(dag, watched("a", "/tmp/other"))
    (second,) = settle()
    assert second != first
    changed(dag, A("a"))
    assert settle() == []


def test_an_asset_that_is_only_written_is_not_watched():
    stored("d", outlets=[watched("a")])
    assert AssetWatcher.objects.exists() and settle() == []


def test_equal_watchers_share_a_trigger_and_each_asset_gets_its_events():
    stored("d", watched("a") | watched("b", watcher="other") | watched("c", "/tmp/else"))
    settle()
    triggers = {trigger.watcher.asset.name: trigger.pk for trigger in Trigger.objects.select_related("watcher__asset")}
    shared, other = triggers["a"], triggers["c"]
    assert watcher_event(shared, {"n": 1}, now=utcnow()) == 2
    extra = {"from_trigger": True, "payload": {"n": 1}}
    assert list(AssetEvent.objects.order_by("asset__name").values_list("asset__name", "extra")) == [("a", extra), ("b", extra)]
    assert watcher_event(other, True, now=utcnow()) == 1


def test_nothing_to_do_costs_two_queries(django_assert_num_queries):
    stored("d", watched("a"))
    settle()
    with django_assert_num_queries(2):
        triggers_settle(utcnow())


def test_a_trigger_goes_on_after_an_event_and_stops_with_its_watcher():
    dag = stored("d", watched("a"))
    (trigger_id,) = settle()
    triggerer = Triggerer()
    triggerer.look()
    (start,) = triggerer.lane.of_type("Start")
    assert (start["id"], start["goes_on"], start["classpath"]) == (
        trigger_id,
        True,
        "airflow.providers.standard.triggers.file.FileDeleteTrigger",
    )
    for _ in range(2):
        triggerer.say("Event", trigger_id, payload=True)
    assert AssetEvent.objects.count() == 2
    assert triggerer.lanes.running == {trigger_id}
    changed(dag, A("a"))
    settle()
    triggerer.look()
    assert [message["id"] for message in triggerer.lane.of_type("Stop")] == [trigger_id]


@pytest.mark.parametrize(("kind", "more"), [("Ended", {"state": None, "xcoms": None}), ("Failed", {"traceback": ["x"]})])
def test_a_trigger_that_ends_starts_again_after_a_rest(kind: str, more: dict[str, object]):
    stored("d", watched("a"))
    (trigger_id,) = settle()
    triggerer = Triggerer()
    triggerer.claims.rests = triggerer.reports.rests
    triggerer.look()
    triggerer.say(kind, trigger_id, **more)
    triggerer.look()
    assert len(triggerer.lane.of_type("Start")) == 1
    triggerer.claims.rests._until.clear()
    triggerer.look()
    assert len(triggerer.lane.of_type("Start")) == 2
    assert settle() == [trigger_id]
