"""The pages over all DAGs in Chromium: the search by keyboard, many DAGs switched at once, the timeline."""

import re
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from dags_app.models import Dag
from orchestrator.kernel.clock import utcnow
from runs.models import BulkAction, DagRun, StateChange
from tests.ui.conftest import mounted
from tests.ui.test_pages_in_a_browser import _signed_in

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_palette_finds_and_opens_by_keyboard_alone(browser: Browser, live_server: Any, population: DagRun) -> None:
    page, complaints = _signed_in(browser, live_server.url)
    page.goto(f"{live_server.url}/dags/etl")
    page.goto(f"{live_server.url}/dags")
    page.keyboard.press("Control+k")
    options = page.locator("#palette-results").get_by_role("option")
    expect(options.filter(has_text="Recent").first).to_contain_text("etl")
    page.keyboard.type("qui")
    expect(options).to_have_count(1)
    expect(options.first).to_have_attribute("aria-selected", "true")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/dags/quiet$"))
    page.keyboard.press("Control+k")
    page.keyboard.type(">trigger etl")
    expect(options.first).to_contain_text("Trigger etl")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator("#dialog")).to_be_visible()
    expect(page.locator("#palette")).to_be_hidden()
    assert complaints == []


def test_chosen_dags_are_paused_by_one_button_and_it_is_taken_back_by_another(
    browser: Browser, live_server: Any, population: DagRun
) -> None:
    page, complaints = _signed_in(browser, live_server.url)
    bar = page.locator("#bulk")
    expect(bar).to_be_hidden()
    page.get_by_label("Choose etl").check()
    expect(bar).to_contain_text("1 chosen")
    bar.get_by_role("button", name="Pause", exact=True).click()
    undo = page.get_by_role("button", name="Undo")
    undo.focus()  # So that it stays, however long the rest takes.
    expect(page.get_by_text("etl is paused.")).to_be_visible()
    assert Dag.objects.get(pk="etl").is_paused
    assert [v["id"] for v in Axe().run(page).response["violations"]] == []
    undo.click()
    expect(page.get_by_text("etl is on again.")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    assert not Dag.objects.get(pk="etl").is_paused
    assert complaints == []


def test_taking_a_pause_back_is_offered_for_some_seconds_and_as_long_as_somebody_is_on_it(
    browser: Browser, live_server: Any, population: DagRun
) -> None:
    page, complaints = _signed_in(browser, live_server.url)
    page.clock.install()
    page.clock.pause_at(utcnow() + timedelta(hours=1))
    with page.expect_navigation():
        page.get_by_role("switch", name="etl is scheduled").click()
    undo = page.get_by_role("button", name="Undo")
    undo.focus()
    mounted(page, "undo")
    page.clock.run_for(9_000)
    expect(undo).to_be_focused()
    undo.blur()
    page.clock.run_for(2_000)
    expect(undo).to_have_count(0)
    assert complaints == []


def test_chosen_dags_are_triggered_in_a_dialog_that_names_them(browser: Browser, live_server: Any, population: DagRun) -> None:
    page, complaints = _signed_in(browser, live_server.url)
    page.get_by_label("Choose etl").check()
    page.get_by_label("Choose quiet").check()
    page.locator("#bulk").get_by_role("button", name="Trigger…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("2 DAGs. Each starts one run now")
    assert [v["id"] for v in Axe().run(page).response["violations"]] == []
    dialog.get_by_label("switch on those that are paused").check()
    dialog.get_by_label("Configuration of each run").fill('{"day": 3}')
    dialog.get_by_role("button", name="Trigger", exact=True).click()
    expect(page).to_have_url(re.compile(r"/bulk/\d+$"))
    action = BulkAction.objects.get()
    assert (action.target, action.options) == ("dags", {"unpause": True, "conf": {"day": 3}})
    assert complaints == []


def test_the_list_of_dags_and_its_tabs_follow_what_happens(browser: Browser, live_server: Any, population: DagRun) -> None:
    page, complaints = _signed_in(browser, live_server.url)
    expect(page.locator("#kinds")).to_contain_text("Failing 1")
    page.keyboard.press("j")
    expect(page.locator('[data-dag="etl"] a:focus')).to_have_count(1)
    population.state = "success"
    population.save()
    StateChange.objects.create(dag_run=population, from_state="failed", to_state="success", at=utcnow())
    expect(page.locator("#kinds")).to_contain_text("Failing 0")
    expect(page.locator('[data-dag="etl"] .state')).to_have_text("✓ success")
    # The list has come anew; the next key goes on from the row where the person is.
    page.keyboard.press("j")
    expect(page.locator('[data-dag="quiet"] a:focus')).to_have_count(1)
    page.keyboard.press("o")
    expect(page).to_have_url(re.compile(r"/dags/quiet$"))
    assert complaints == []


@pytest.mark.parametrize(("width", "scheme"), [(1440, "dark"), (390, "light")])
def test_home_and_the_timeline_fit_the_screen_without_faults_of_access(
    browser: Browser, live_server: Any, population: DagRun, width: int, scheme: Any
) -> None:
    page, complaints = _signed_in(browser, live_server.url, viewport={"width": width, "height": 900}, color_scheme=scheme)
    for path in ("/", "/timeline", "/search?q=etl", "/dags"):
        page.goto(f"{live_server.url}{path}")
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert [rule["id"] for rule in Axe().run(page).response["violations"]] == [], path
    assert complaints == []
