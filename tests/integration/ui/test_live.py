"""What open pages learn about changes: one query for all who look, late commits included, nothing that rules hide (C07-d)."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.models import DagRule, User
from dags_app.models import Asset
from orchestrator.kernel.clock import utcnow
from runs import live, live_ring
from runs.live import Version
from runs.models import AssetEvent, DagRun, StateChange
from tests.factories import NOON, make_dag, make_run
from tests.oracle import REPOSITORY

pytestmark = pytest.mark.django_db

NOTHING = Version(0, 0)


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
    return client.get("/live", {"since": f"{since}-0", "topic": topics})


def make_asset(name: str) -> Asset:
    return Asset.objects.create(name=name, uri=name)


def seen(change: StateChange) -> Version:
    return Version(change.id, 0)


def test_c07d_a_page_gets_only_what_changed_since_its_version(clock: list[float], run: DagRun) -> None:
    first = change(run)
    assert live.feed.since(None, frozenset()).version.changes == first.id
    clock[0] += live.LATE_SECONDS + 1
    topics = frozenset({"run:etl/r1"})
    assert live.feed.since(seen(first), topics).changes == []
    second = change(run, "other")
    assert live.feed.since(seen(first), topics).changes == []  # within the same second nothing is asked
    clock[0] += live.TICK_SECONDS
    news = live.feed.since(seen(first), topics)
    assert ([c.task_id for c in news.changes], news.version.changes, news.next_in) == (["other"], second.id, live.SOON)
    assert live.feed.since(seen(first), frozenset({"run:etl/other", "runs"})).changes == []


def test_c07d_twenty_tabs_ask_the_database_once_a_second(clock: list[float], run: DagRun, django_assert_num_queries: Any) -> None:
    live.feed.since(None, frozenset())
    clock[0] += live.TICK_SECONDS
    with django_assert_num_queries(3):
        for _ in range(20):
            live.feed.since(NOTHING, frozenset({"runs"}))


def test_a_change_that_commits_after_a_later_one_is_still_told(clock: list[float], run: DagRun) -> None:
    live.feed.since(None, frozenset())
    late, early = 500, 501
    change(run, "first committed", id=early)
    clock[0] += live.TICK_SECONDS
    assert live.feed.since(NOTHING, frozenset({"dag:etl"})).version.changes == early
    change(run, "committed late", id=late)
    clock[0] += live.TICK_SECONDS
    told = live.feed.since(Version(early, 0), frozenset({"dag:etl"})).changes
    assert [c.task_id for c in told if c.id == late] == ["committed late"]


def test_a_page_that_was_away_for_too_long_loads_anew(clock: list[float], run: DagRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_ring, "KEPT", 3)
    live.feed.since(None, frozenset())
    for number in range(8):
        change(run, f"t{number}")
    clock[0] += live.TICK_SECONDS
    assert not live.feed.since(seen(StateChange.objects.order_by("id")[0]), frozenset()).complete


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


def test_c07d_a_page_that_only_counts_is_told_that_something_happened_but_not_what(clock: list[float], run: DagRun) -> None:
    client = signed_in(is_superuser=True)
    first, asked = change(run), change(run, "ask")
    StateChange.objects.filter(pk=asked.pk).update(from_state="running", to_state="awaiting_input")
    change(run, "")  # of the run itself
    clock[0] += live.TICK_SECONDS
    told = ask(client, 0, "tasks", "questions").json()
    assert (told["changes"], told["topics"]) == ([], [])
    assert told["marks"] == [["questions", asked.id], ["tasks", first.id], ["tasks", asked.id]]


@pytest.mark.parametrize(
    ("before", "after"), [("running", "awaiting_input"), ("awaiting_input", "scheduled"), ("deferred", None)]
)
def test_a_question_that_comes_or_goes_is_news_for_the_inbox(
    clock: list[float], run: DagRun, before: str, after: str | None
) -> None:
    StateChange.objects.create(dag_run=run, task_id="ask", from_state=before, to_state=after, at=utcnow())
    clock[0] += live.TICK_SECONDS
    assert len(live.feed.since(NOTHING, frozenset({"questions"})).changes) == 1


def test_of_very_many_changes_a_page_that_counts_hears_of_the_newest(clock: list[float], run: DagRun) -> None:
    ids = [change(run, f"t{number}").id for number in range(60)]
    marks = ask(signed_in(is_superuser=True), 0, "tasks").json()["marks"]
    assert [number for _, number in marks] == ids[-20:]


def test_c07d_an_event_of_an_asset_is_news_though_no_run_changed(clock: list[float]) -> None:
    client = signed_in(is_superuser=True)
    one, other = make_asset("one"), make_asset("other")
    version = ask(client, 0, "assets").headers["Live-Version"]
    event = AssetEvent.objects.create(asset=one, timestamp=NOON)
    clock[0] += live.TICK_SECONDS
    told = client.get("/live", {"since": version, "topic": ["assets", f"asset:{one.pk}", f"asset:{other.pk}"]})
    assert told.json()["marks"] == [[f"asset:{one.pk}", event.pk], ["assets", event.pk]]
    clock[0] += live.LATE_SECONDS + 1
    assert client.get("/live", {"since": told.headers["Live-Version"], "topic": "assets"}).status_code == 204


def test_c30a_events_of_assets_that_rules_hide_are_no_news(clock: list[float]) -> None:
    DagRule.objects.create(user=User.objects.create_user("stranger"), dag_id="other*", role=1)
    stranger = Client()
    stranger.force_login(User.objects.get(username="stranger"))
    # The page is there before the event: from far behind its id, which goes on from the tests before, all would be loaded anew.
    assert ask(stranger, 0, "assets").status_code == 204
    event = AssetEvent.objects.create(asset=make_asset("hidden"), timestamp=NOON)
    clock[0] += live.TICK_SECONDS
    answer = ask(stranger, 0, "assets")
    assert (answer.status_code, answer.headers["Live-Version"]) == (204, f"0-{event.pk}")


@pytest.mark.parametrize("since", ["", "12", "-", "1-", "x-1", "1-2-3", "9" * 30 + "-1", "-1--1", "²-1"])
def test_a_version_that_is_none_gets_the_present_one(clock: list[float], run: DagRun, since: str) -> None:
    first = change(run)
    answer = signed_in(is_superuser=True).get("/live", {"since": since, "topic": "dag:etl"})
    assert (answer.status_code, answer.headers["Live-Version"]) == (204, f"{first.id}-0")


def test_c07d_no_page_has_a_timer_of_its_own_that_the_switch_does_not_stop() -> None:
    timer = re.compile(r'hx-trigger="[^"]*every')
    found = [path.name for path in (REPOSITORY / "templates").rglob("*.html") if timer.search(path.read_text())]
    assert found == []
