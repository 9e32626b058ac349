"""Open pages renew themselves by one mechanism in Chromium, which one switch stops (C07-d)."""

from typing import Any

import pytest
from playwright.sync_api import APIResponse, Browser, Page, Route, expect

from accounts.models import User
from dags_app.models import Asset
from orchestrator.kernel.clock import utcnow
from runs.models import AssetEvent, BulkAction, DagRun, HITLDetail, Pool, StateChange, TaskInstance
from tests.factories import NOON
from tests.ui.test_lists_in_a_browser import _page
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def change(run: DagRun, task_id: str, before: str | None, after: str | None) -> None:
    StateChange.objects.create(dag_run=run, task_id=task_id, from_state=before, to_state=after, at=utcnow())


@pytest.fixture
def opened(browser: Browser, live_server: Any, admin: User, population: DagRun) -> Any:
    def at(path: str) -> tuple[Page, list[str]]:
        page, complaints = _page(browser, live_server.url, admin)
        page.goto(live_server.url + path)
        return page, complaints

    return at


def test_c07d_an_asset_and_the_list_of_assets_show_an_event_that_no_run_made(opened: Any) -> None:
    asset = Asset.objects.create(name="orders", uri="orders")
    detail, complaints = opened(f"/assets/{asset.pk}")
    listed, _ = opened("/assets")
    expect(detail.locator("#fresh")).to_contain_text("No event yet")
    AssetEvent.objects.create(asset=asset, timestamp=utcnow(), extra={"from_rest_api": True})
    expect(detail.locator("#fresh")).to_contain_text("Last event")
    expect(detail.locator("#list")).to_contain_text("the REST API")
    expect(listed.locator("#list tbody tr")).to_contain_text("ago")
    assert complaints == []


def test_c07d_the_inbox_shows_a_question_as_it_is_asked(opened: Any, population: DagRun) -> None:
    page, complaints = opened("/required_actions")
    expect(page.locator("#inbox-rows")).to_contain_text("Nothing waits for you")
    ti = TaskInstance.objects.get(dag_run=population, task_id="other_5")
    HITLDetail.objects.create(
        ti_id=ti.pk, dag_run=population, task_id="other_5", subject="Go on?", options=["yes"], created_at=NOON
    )
    change(population, "other_5", "running", "awaiting_input")
    expect(page.locator("#inbox-rows")).to_contain_text("Go on?")
    assert complaints == []


def test_c07d_pools_follow_the_tasks_that_use_them(opened: Any, population: DagRun) -> None:
    Pool.objects.get_or_create(pool="default_pool", defaults={"slots": 16})
    page, complaints = opened("/pools")
    expect(page.locator("#list tbody tr").first).not_to_contain_text("5 running")
    TaskInstance.objects.filter(dag_run=population, task_id="extract").update(state="running", pool="default_pool", pool_slots=5)
    change(population, "extract", "queued", "running")
    expect(page.locator("#list tbody tr").first).to_contain_text("5 running")
    assert complaints == []


@pytest.mark.parametrize("path", ["/required_actions", "/pools", "/jobs", "/bulk/{bulk}"])
def test_c07d_the_switch_in_the_header_stops_all_that_renews_itself(opened: Any, path: str) -> None:
    values = {"actor": "ann", "authority": "user", "created_at": NOON, "state": "running", "total": 9}
    bulk = BulkAction.objects.create(kind="clear", target="dag_runs", selection={"filters": {"dag_id": "~"}}, **values)
    page, complaints = opened("/dags")
    page.clock.install()
    page.goto(page.url.removesuffix("/dags") + path.format(bulk=bulk.pk))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_request(lambda request: request.resource_type in ("fetch", "xhr")):
        page.clock.run_for(15_000)
    page.get_by_role("button", name="live").click()
    # What was asked for before is answered, and so is what waited behind it.
    expect(page.locator(".htmx-request")).to_have_count(0)
    asked.clear()
    page.clock.run_for(120_000)
    expect(page.locator("[data-live-word]")).to_have_text("paused")
    assert asked == [] and complaints == []


def _answer_with_news(held: Route) -> APIResponse:
    """Return the server's own answer; it looks for changes once a second, so the first ones may be empty."""
    answers: list[APIResponse] = []

    def has_news() -> bool:
        answers.append(held.fetch())
        return answers[-1].status == 200

    wait_until(has_news)
    return answers[-1]


def test_c07d_an_answer_that_comes_after_the_switch_changes_nothing_until_it_is_on_again(
    browser: Browser, live_server: Any, admin: User, population: DagRun
) -> None:
    page, complaints = _page(browser, live_server.url, admin)
    held: list[Route] = []
    page.route("**/live?*", lambda route: held.append(route), times=1)
    with page.expect_request("**/live?*"):
        page.goto(f"{live_server.url}/dags")
    population.state = "success"
    population.save()
    change(population, "", "failed", "success")
    page.get_by_role("button", name="live").click()
    with page.expect_event("requestfinished", lambda request: "/live?" in request.url):
        held[0].fulfill(response=_answer_with_news(held[0]))
    page.evaluate("() => new Promise((resolve) => setTimeout(resolve))")
    expect(page.locator("[data-live-word]")).to_have_text("paused")
    expect(page.locator("#kinds")).to_contain_text("Failing 1")
    page.get_by_role("button", name="paused").click()
    expect(page.locator("[data-live-word]")).to_have_text("live")
    expect(page.locator("#kinds")).to_contain_text("Failing 0")
    assert complaints == []
