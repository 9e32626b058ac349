"""What a run takes under each policy, while the consumer is paused and while it has as many runs as it may (C23-b)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from dags_app.models import Asset, Dag
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.definitions.asset import Asset as A
from runs.assets.deliveries import KEYED, SUPERSEDED
from runs.assets.event_runs import run_from_events
from runs.assets.events import NewEvent, events_add
from runs.models import AssetDelivery, DagRun
from tests.assets import happen, stored
from tests.integration.assets.test_event_runs import taken, triggered
from tests.integration.runs.harness import Rounds

pytestmark = pytest.mark.django_db

WINDOW = {"event_policy": "window", "event_window": 3600.0}
POLICIES = {"batch": {}, "each": {"event_policy": "each"}, "window": WINDOW, "latest": {"event_policy": "latest"}}


def all_taken(dag_id: str = "d") -> list[list[Any]]:
    return [[number for _, number in taken(run)] for run in triggered(dag_id)]


def dropped() -> dict[Any, str]:
    rows = AssetDelivery.objects.exclude(dropped_reason="").select_related("event")
    return {row.event.extra.get("n"): row.dropped_reason for row in rows}


def close_window() -> None:
    """What waits has waited longer than the window."""
    AssetDelivery.objects.update(created_at=utcnow() - timedelta(hours=2))


def switch(*, on: bool) -> None:
    Dag.objects.update(is_paused=not on)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("batch", [[1, 2, 3]]), ("each", [[1], [2], [3]]), ("window", [[1, 2, 3]]), ("latest", [[3]])],
)
def test_c23_b_what_the_runs_take_of_three_events(policy: str, expected: list[Any]):
    stored("d", A("a"), **POLICIES[policy])
    for number in (1, 2, 3):
        happen("a", n=number)
    rounds = Rounds()
    if policy == "window":
        rounds.run()
        assert all_taken() == []
        close_window()
    rounds.run()
    rounds.run()
    assert all_taken() == expected
    assert dropped() == ({1: SUPERSEDED, 2: SUPERSEDED} if policy == "latest" else {})


@pytest.mark.parametrize(
    ("policy", "after_switching_on", "after_one_more"),
    [
        ("batch", [], [[1, 2, 3]]),  # as in Airflow
        ("each", [[1], [2]], [[1], [2], [3]]),
        ("window", [[1, 2]], [[1, 2], [3]]),
        ("latest", [[2]], [[2], [3]]),
    ],
)
def test_c23_b_events_of_a_pause(policy: str, after_switching_on: list[Any], after_one_more: list[Any]):
    stored("d", A("a"), **POLICIES[policy], is_paused=True)
    for number in (1, 2):
        happen("a", n=number)
    rounds = Rounds()
    rounds.run()
    assert all_taken() == []
    switch(on=True)
    close_window()
    rounds.run()
    assert all_taken() == after_switching_on
    happen("a", n=3)
    close_window()
    rounds.run()
    assert all_taken() == after_one_more


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("batch", [[1], [2, 3]]), ("each", [[1], [2]]), ("window", [[1], [2, 3]]), ("latest", [[1], [3]])],
)
def test_c23_b_events_that_come_while_the_consumer_has_as_many_runs_as_it_may(policy: str, expected: list[Any]):
    stored("d", A("a"), **POLICIES[policy], max_active_runs=1)
    rounds = Rounds()
    for number in (1, 2, 3):
        happen("a", n=number)
        if number == 1:
            close_window()
        rounds.run()
    close_window()
    rounds.run()
    assert all_taken() == [[1]]
    assert dropped() == ({2: SUPERSEDED} if policy == "latest" else {})
    rounds.complete()
    rounds.run()
    assert all_taken() == expected
    if policy == "each":
        rounds.complete()
        rounds.run()
        assert all_taken() == [[1], [2], [3]]


def test_c23_b_each_pairs_the_oldest_events_of_a_condition_and_keeps_the_rest():
    stored("d", A("a") & A("b"), event_policy="each")
    rounds = Rounds()
    for name, number in (("a", 1), ("a", 2), ("b", 3)):
        happen(name, n=number)
    rounds.run()
    assert all_taken() == [[1, 3]]
    happen("b", n=4)
    rounds.run()
    assert all_taken() == [[1, 3], [2, 4]]


def test_c23_b_latest_takes_the_newest_of_each_asset():
    stored("d", A("a") & A("b"), event_policy="latest")
    for name, number in (("a", 1), ("a", 2), ("b", 3)):
        happen(name, n=number)
    Rounds().run()
    assert all_taken() == [[2, 3]]


def test_c23_b_an_event_that_commits_after_a_newer_one_was_taken_makes_no_run_under_latest():
    stored("d", A("a"), event_policy="latest")
    early = happen("a", n=1)
    delivery = AssetDelivery.objects.get()
    AssetDelivery.objects.all().delete()
    happen("a", n=2)
    rounds = Rounds()
    rounds.run()
    AssetDelivery.objects.create(event=early, dag_id="d", asset_id=early.asset_id, created_at=delivery.created_at)
    rounds.run()
    assert (all_taken(), dropped()) == ([[2]], {1: SUPERSEDED})


def test_c23_b_the_window_counts_from_the_event_that_opens_it_not_from_the_last_one():
    stored("d", A("a"), **WINDOW)
    happen("a", n=1)
    opened = AssetDelivery.objects.get().created_at
    with transaction.atomic():
        late = opened + timedelta(minutes=59)
        events_add([NewEvent(Asset.objects.get(name="a"), {"n": 2})], now=late)
        assert run_from_events("d", now=late).due == opened + timedelta(hours=1)
        run = run_from_events("d", now=opened + timedelta(hours=1)).run
    assert run is not None and [number for _, number in taken(run)] == [1, 2]
    assert run.run_after == late


@pytest.mark.parametrize("policy", ["each", "latest"])
def test_c23_b_an_event_of_one_partition_is_over_where_a_run_takes_chosen_events(policy: str):
    stored("d", A("a"), **POLICIES[policy])
    happen("a", "us", n=1)
    happen("a", n=2)
    Rounds().run()
    assert (all_taken(), dropped()) == ([[2]], {1: KEYED})


@pytest.mark.parametrize(("policy", "expected"), [("each", [[1], [2]]), ("latest", [[2]])])
def test_c23_b_with_catchup_events_from_before_the_consumer_follow_its_policy(policy: str, expected: list[Any]):
    stored("writer", outlets=[A("a")])
    happen("a", n=1)
    stored("d", A("a"), catchup=True, **POLICIES[policy])
    happen("a", n=2)
    Rounds().run()
    assert all_taken() == expected


def test_c23_b_one_run_per_event_makes_them_all_in_one_round_up_to_the_limit():
    stored("d", A("a"), event_policy="each", max_active_runs=3)
    for number in range(5):
        happen("a", n=number)
    Rounds().run()
    assert all_taken() == [[0], [1], [2]]


@pytest.mark.parametrize("policy", ["each", "latest"])
def test_c23_b_an_event_dropped_by_hand_is_in_no_run(policy: str):
    from runs.assets.deliveries import DELETED, held

    dag = stored("d", A("a"), **POLICIES[policy])
    event = happen("a")
    AssetDelivery.objects.update(dropped_reason=DELETED)
    with transaction.atomic():
        assert held(dag, [event.pk]) == []
    Rounds().run()
    assert not DagRun.objects.exists()
