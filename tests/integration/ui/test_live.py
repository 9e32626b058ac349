"""What open pages learn about changes: one query for all who look, late commits included, nothing that rules hide (C07-d)."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.models import DagRule, User
from orchestrator.kernel.clock import utcnow
from runs import live
from runs.models import DagRun, StateChange
from tests.factories import make_dag, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The seconds that the feed reads, to be set by the test."""
    now = [1000.0]
    monkeypatch.setattr(live, "monotonic", lambda: now[0])
    live.feed.forget()
    yield now
    live.feed.forget()


@pytest.fixture
def run() -> DagRun:
    return make_run(make_dag("etl"), "r1", state="running")


def change(run: DagRun, task_id: str = "load", **more: Any) -> StateChange:
    return StateChange.objects.create(dag_run=run, task_id=task_id, to_state="failed", at=utcnow(), **more)


def signed_in(**more: Any) -> Client:
    client = Client()
    client.force_login(User.objects.create_user("p", **more))
    return client


def ask(client: Client, since: int, *topics: str) -> Any:
    return client.get("/live", {"since": since, "topic": topics})


def test_c07d_a_page_gets_only_what_changed_since_its_version(clock: list[float], run: DagRun) -> None:
    first = change(run)
    assert live.feed.since(-1, frozenset()).version == first.id
    clock[0] += live.LATE_SECONDS + 1
    topics = frozenset({"run:etl/r1"})
    assert live.feed.since(first.id, topics).changes == []
    second = change(run, "other")
    assert live.feed.since(first.id, topics).changes == []  # within the same second nothing is asked
    clock[0] += live.TICK_SECONDS
    news = live.feed.since(first.id, topics)
    assert ([c.task_id for c in news.changes], news.version, news.next_in) == (["other"], second.id, live.SOON)
    assert live.feed.since(first.id, frozenset({"run:etl/other", "runs"})).changes == []


def test_c07d_twenty_tabs_ask_the_database_once_a_second(clock: list[float], run: DagRun, django_assert_num_queries: Any) -> None:
    live.feed.since(-1, frozenset())
    clock[0] += live.TICK_SECONDS
    with django_assert_num_queries(2):
        for _ in range(20):
            live.feed.since(0, frozenset({"runs"}))


def test_a_change_that_commits_after_a_later_one_is_still_told(clock: list[float], run: DagRun) -> None:
    live.feed.since(-1, frozenset())
    late, early = 500, 501
    change(run, "first committed", id=early)
    clock[0] += live.TICK_SECONDS
    assert live.feed.since(0, frozenset({"dag:etl"})).version == early
    change(run, "committed late", id=late)
    clock[0] += live.TICK_SECONDS
    told = live.feed.since(early, frozenset({"dag:etl"})).changes
    assert [c.task_id for c in told if c.id == late] == ["committed late"]


def test_a_page_that_was_away_for_too_long_loads_anew(clock: list[float], run: DagRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "KEPT", 3)
    live.feed.since(-1, frozenset())
    for number in range(8):
        change(run, f"t{number}")
    clock[0] += live.TICK_SECONDS
    assert not live.feed.since(StateChange.objects.order_by("id").values_list("id", flat=True)[0], frozenset()).complete


def test_the_address_says_204_while_nothing_changed_and_hides_what_rules_hide(clock: list[float], run: DagRun) -> None:
    client = signed_in(is_superuser=True)
    assert ask(client, 0, "dag:etl").status_code == 204
    change(run)
    clock[0] += live.TICK_SECONDS
    answer = ask(client, 0, "dag:etl")
    assert answer.status_code == 200
    assert [row[1:] for row in answer.json()["changes"]] == [["etl", "r1", run.pk, "load", -1, 0, "failed"]]
    assert answer.json()["topics"] == ["dag:etl"]
    DagRule.objects.create(user=User.objects.create_user("stranger"), dag_id="other*", role=1)
    stranger = Client()
    stranger.force_login(User.objects.get(username="stranger"))
    assert ask(stranger, 0, "dag:etl").status_code == 204
