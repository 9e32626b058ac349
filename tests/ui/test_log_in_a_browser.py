"""The log viewer in Chromium: keys, filters, search, groups, the first error, links to lines, and a log that grows (C10)."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.ids import new_id
from runs.models import DagRun, StateChange, TaskInstance, TaskInstanceHistory
from tests.factories import NOON, make_ti
from tests.integration.ui.logs import said, write_log
from tests.ui.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)


def _open(browser: Browser, url: str, path: str, ready: str = "#log-viewer[data-ready]") -> tuple[Page, list[str]]:
    page = browser.new_context(permissions=["clipboard-read", "clipboard-write"]).new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{url}/auth/login/?next={path}")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_navigation():  # Until its scripts listen.
        page.get_by_role("button", name="Sign in").click()
    expect(page.locator(ready)).to_be_visible()
    return page, complaints


def _ready(page: Page) -> None:
    """Keys do nothing before the viewer's scripts are there."""
    expect(page.locator("#log-viewer[data-ready]")).to_be_visible()


def _line(page: Page, text: str) -> Locator:
    return page.locator("#log li", has_text=re.compile(rf"\b{text}$"))


def test_a_long_log_is_read_by_keys_search_and_links(browser: Browser, live_server: Any, population: DagRun) -> None:
    ti = make_ti(population, "long", state="failed", start_date=NOON, end_date=NOON)
    records: list[Any] = [said("::group::Setup"), said("hidden in a group"), said("::endgroup::")]
    records += [said(f"line {number}") for number in range(700)]
    records += [said("the first fault", level="error", rows=17), *[said(f"line {number}") for number in range(700, 1400)]]
    write_log(ti, records)
    path = "/dags/etl/runs/manual__1/tasks/long"
    page, complaints = _open(browser, live_server.url, path)
    expect(_line(page, "line 1399")).to_be_in_viewport()
    expect(page.locator("#log li")).to_have_count(500)
    # Back to the first error, which is in a part that is not loaded; then all before it.
    page.keyboard.press("e")
    expect(page.locator("li.target")).to_contain_text("the first fault")
    expect(page.locator("li.target")).to_be_in_viewport()
    page.get_by_role("button", name="To the beginning").click()
    expect(page.get_by_text("Setup (1 line)")).to_be_visible()
    expect(_line(page, "hidden in a group")).to_be_hidden()
    page.keyboard.press("x")
    expect(_line(page, "hidden in a group")).to_be_visible()
    # Search over the whole file.
    page.keyboard.press("/")
    page.keyboard.type("line 1399")
    expect(page.locator("[data-found]")).to_have_text("1 of 1")
    page.keyboard.press("Enter")
    expect(page.locator("li.target")).to_contain_text("line 1399")
    page.get_by_label("Search the log").fill("line 139")
    expect(page.locator("[data-found]")).to_have_text(re.compile(r"of 11$"))
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.get_by_label("Search the log").blur()
    # Looks: wrap, source, times, full screen.
    page.keyboard.press("w")
    expect(page.locator("#log")).not_to_have_class(re.compile("wrap"))
    page.keyboard.press("s")
    expect(page.locator("#log .source").last).to_be_visible()
    page.keyboard.press("t")
    expect(page.locator("#log time").last).to_have_text("+0.000 s")
    page.keyboard.press("f")
    expect(page.locator("#log-viewer")).to_have_class(re.compile("full"))
    page.keyboard.press("Escape")
    # A link to a line is an address of its own.
    page.locator("li.target a.n").click()
    expect(page).to_have_url(re.compile("at="))
    page.reload()
    _ready(page)
    expect(page.locator("li.target")).to_be_in_viewport()
    page.goto(f"{live_server.url}{path}#error")
    _ready(page)
    expect(page.locator("li.target")).to_contain_text("the first fault")
    # The sheet of keys tells what is on this page, and not of general keys that mean something else here.
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet.get_by_text("First error. Again: the next one")).to_be_visible()
    expect(sheet.get_by_text("Download as text")).to_be_visible()
    expect(sheet.get_by_text("Clear…")).to_be_visible()
    expect(sheet.get_by_text("Sidebar small or wide")).to_be_visible()
    expect(sheet.get_by_text("Density of rows")).to_be_hidden()
    assert complaints == []


def test_c10e_one_key_searches_all_tries_and_a_hit_opens_its_line(browser: Browser, live_server: Any, population: DagRun) -> None:
    ti = make_ti(population, "tried", state="success", start_date=NOON, end_date=NOON, try_number=2, max_tries=1)
    names = {"dag_id": "etl", "run_id": "manual__1", "task_id": "tried", "map_index": -1, "try_number": 1}
    first = TaskInstanceHistory.objects.create(pk=new_id(), dag_run=population, state="failed", **names)
    lines = [said(f"line {number}") for number in range(700)]
    write_log(first, [said("part 7 broke", level="error"), *lines])
    write_log(ti, [said("part 8 is whole"), *lines])
    page, complaints = _open(browser, live_server.url, "/dags/etl/runs/manual__1/tasks/tried")
    page.get_by_label("Search the log").fill(r"part \d")
    page.get_by_role("button", name=".*", exact=True).click()
    page.get_by_text("Levels").click()
    page.get_by_role("checkbox", name="info").uncheck()
    page.get_by_role("checkbox", name="info").blur()
    # The choice is in the address; it is no other page yet.
    expect(page).to_have_url(re.compile("level=error"))
    with page.expect_navigation():
        page.keyboard.press("a")
    assert page.url.endswith("/log_search?q=part+%5Cd&regex=on&level=debug&level=warning&level=error&level=critical")
    expect(page.locator(".log-hits mark")).to_have_text(["part 7"])
    page.get_by_label("info").check()
    with page.expect_navigation():
        page.get_by_role("main").get_by_role("button", name="Search", exact=True).click()
    expect(page.locator(".log-hits mark")).to_have_text(["part 8", "part 7"])
    page.keyboard.press("j")
    page.keyboard.press("j")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    _ready(page)
    expect(page.locator("li.target")).to_contain_text("part 7 broke")
    expect(page.locator("li.target")).to_be_in_viewport()
    assert complaints == []


def test_levels_and_loggers_are_chosen_and_stay_in_the_address(browser: Browser, live_server: Any, population: DagRun) -> None:
    ti = make_ti(population, "mixed", state="success", start_date=NOON, end_date=NOON)
    write_log(ti, [said("quiet"), said("loud", level="warning"), said("other", logger="x.y")])
    page, complaints = _open(browser, live_server.url, "/dags/etl/runs/manual__1/tasks/mixed")
    page.get_by_text("Levels").click()
    page.get_by_role("checkbox", name="info").uncheck()
    expect(_line(page, "quiet")).to_be_hidden()
    expect(_line(page, "loud")).to_be_visible()
    page.reload()
    _ready(page)
    expect(_line(page, "quiet")).to_be_hidden()
    page.get_by_text("Levels").click()
    page.get_by_role("checkbox", name="info").check()
    page.get_by_label("Logger").select_option("x.y")
    expect(_line(page, "quiet")).to_be_hidden()
    expect(_line(page, "other")).to_be_visible()
    assert complaints == []


def test_a_running_try_brings_its_lines_and_stays_at_the_end(browser: Browser, live_server: Any, population: DagRun) -> None:
    ti = make_ti(population, "growing", state="running", start_date=NOON)
    path = write_log(ti, [said(f"line {number}") for number in range(100)])
    page, complaints = _open(browser, live_server.url, "/dags/etl/runs/manual__1/tasks/growing")
    with path.open("a") as file:
        file.write("".join(json.dumps(said(f"new {number}")) + "\n" for number in range(100)))
    expect(_line(page, "new 99")).to_be_in_viewport()
    page.get_by_role("button", name="Follow").click()
    page.get_by_role("button", name="To the beginning").click()
    with path.open("a") as file:
        file.write(json.dumps(said("the last")) + "\n")
    TaskInstance.objects.filter(pk=ti.pk).update(state="success", end_date=NOON)
    expect(_line(page, "the last")).to_be_attached()
    expect(_line(page, "the last")).not_to_be_in_viewport()
    # The page stays with its try and tells of the next one.
    begun = {"from_state": "queued", "to_state": "running", "try_number": 2, "at": utcnow()}
    StateChange.objects.create(dag_run=population, ti_id=ti.pk, task_id="growing", **begun)
    expect(page.get_by_role("link", name="Try 2 has begun: show its log")).to_be_visible()
    assert complaints == []


def test_from_home_the_failing_line_is_one_click_away(browser: Browser, live_server: Any, population: DagRun) -> None:
    failed = TaskInstance.objects.get(dag_run=population, task_id="load")
    lines = [said(f"line {number}") for number in range(1400)]
    write_log(failed, [*lines[:700], said("the first fault", level="error"), *lines[700:]])
    page, complaints = _open(browser, live_server.url, "/", ready="h1")
    page.get_by_title("Open the log").filter(has_text="exit 1").click()
    _ready(page)
    expect(page.locator("li.target")).to_contain_text("the first fault")
    expect(page.locator("li.target")).to_be_in_viewport()
    expect(page.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "false")
    assert complaints == []
