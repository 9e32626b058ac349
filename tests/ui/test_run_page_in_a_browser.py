"""The page of a run in Chromium: it changes by itself, its orders are dialogs, its card leads to the error in the log."""

import re
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from accounts.models import User
from orchestrator.kernel.clock import utcnow
from runs.models import DagRun, Hold, StateChange, TaskInstance
from tests.factories import make_run, make_ti
from tests.ui.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/dags/etl/runs/manual__1"
TABS = ("details", "code", "asset_events", "events", "log_search?q=red")
ALL_RUNS = "/dags/etl/log_search?q=e&after=2026-01-01T00:00:00Z&before=2026-02-01T00:00:00Z"


def signed_in(browser: Browser, url: str, path: str, **options: Any) -> tuple[Page, list[str]]:
    page = browser.new_context(**options).new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{url}/auth/login/?next={path}")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_navigation():  # Until its scripts listen.
        page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(url + path)
    return page, complaints


def changed(ti: TaskInstance, state: str) -> None:
    before, now = ti.state, utcnow()
    TaskInstance.objects.filter(pk=ti.pk).update(
        state=state, end_date=now, start_date=now, cause="user_exception", cause_detail="OSError: full"
    )
    StateChange.objects.create(dag_run=ti.dag_run, ti_id=ti.pk, task_id=ti.task_id, from_state=before, to_state=state, at=now)


def test_the_first_failure_is_one_key_from_its_error_in_the_log(browser: Browser, live_server: Any, population: DagRun) -> None:
    page, complaints = signed_in(browser, live_server.url, PATH)
    card = page.locator(".cause-card").first
    expect(card).to_contain_text("load failed")
    page.keyboard.press("e")
    expect(page).to_have_url(re.compile(r"/tasks/load#error$"))
    expect(page.get_by_text("no rows").first).to_be_visible()
    assert complaints == []


def test_c10e_one_key_searches_all_logs_of_a_run(browser: Browser, live_server: Any, population: DagRun) -> None:
    page, complaints = signed_in(browser, live_server.url, PATH)
    with page.expect_navigation():
        page.keyboard.press("l")
    expect(page.get_by_label("Search all logs of the run").last).to_be_focused()
    page.keyboard.type("red text")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator(".log-hits tbody tr")).to_have_count(1)
    with page.expect_navigation():
        page.get_by_role("link", name="red text").click()
    expect(page.locator("li.target")).to_contain_text("red text")
    assert complaints == []


def test_c10e_one_key_searches_the_logs_of_all_runs_of_a_dag(browser: Browser, live_server: Any, population: DagRun) -> None:
    page, complaints = signed_in(browser, live_server.url, "/dags/etl")
    with page.expect_navigation():
        page.keyboard.press("l")
    expect(page.get_by_role("heading", name="Search what the tasks of all runs wrote")).to_be_visible()
    expect(page.get_by_label("Search logs of all runs").last).to_be_focused()
    page.keyboard.type("red text")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No run was due in this time")).to_be_visible()
    page.get_by_label("From").fill("2026-01-10T00:00")
    page.get_by_label("Task", exact=True).fill("load")
    with page.expect_navigation():
        page.get_by_role("main").get_by_role("button", name="Search").click()
    expect(page).to_have_url(re.compile(r"after=2026-01-10T00%3A00%3A00Z"))
    expect(page.locator(".log-hits tbody tr")).to_have_count(1)
    with page.expect_navigation():
        page.get_by_role("link", name="red text").click()
    expect(page.locator("li.target")).to_contain_text("red text")
    assert complaints == []


def test_c10e_the_search_of_a_run_goes_over_to_all_runs_with_what_was_typed(
    browser: Browser, live_server: Any, population: DagRun
) -> None:
    page, complaints = signed_in(browser, live_server.url, f"{PATH}/log_search")
    page.keyboard.type("red text")
    page.get_by_label("warning").check()
    with page.expect_navigation():
        page.get_by_role("button", name="All runs").click()
    expect(page).to_have_url(re.compile(r"/dags/etl/log_search\?q=red\+text&level=warning&after=.*&before="))
    expect(page.get_by_label("Search logs of all runs").last).to_have_value("red text")
    assert complaints == []


def test_a_run_changes_by_itself_and_what_is_open_stays_open(
    browser: Browser, live_server: Any, admin: User, population: DagRun
) -> None:
    # The axis leaves a twentieth of it for what grows: after an hour, there are minutes until a bar is at its end.
    began = utcnow() - timedelta(hours=1)
    run = make_run(population.dag, "live", state="running", start_date=began)
    tis = [make_ti(run, task_id, state="running", start_date=began) for task_id in ("extract", "load")]
    page, complaints = signed_in(browser, live_server.url, "/dags/etl/runs/live?view=gantt")
    growing = page.locator("rect.grows").first
    before = growing.get_attribute("width") or ""
    expect(growing).not_to_have_attribute("width", before)
    assert float((growing.get_attribute("width") or "").rstrip("%")) > float(before.rstrip("%"))
    page.goto(f"{live_server.url}/dags/etl/runs/live")
    page.get_by_role("searchbox", name="Find tasks").fill("half typed")
    page.locator("#run-more summary").click()
    changed(tis[1], "failed")
    expect(page.locator(".cause-card")).to_contain_text("OSError: full")
    expect(page.locator("#run-more")).to_have_attribute("open", "")
    assert complaints == []


def test_orders_open_dialogs_by_button_and_key(browser: Browser, live_server: Any, population: DagRun) -> None:
    page, complaints = signed_in(browser, live_server.url, PATH)
    page.keyboard.press("r")
    dialog = page.locator("#dialog")
    expect(dialog.get_by_label("only failed ones")).to_be_checked()
    page.keyboard.press("Escape")
    page.keyboard.press("m")
    expect(dialog.get_by_role("heading")).to_contain_text("Mark")
    page.keyboard.press("Escape")
    page.locator("#run-more summary").click()
    page.get_by_role("link", name="Add a note…").click()
    dialog.get_by_role("textbox", name="Note").fill("a **bold** note")
    with page.expect_navigation():  # The note comes with the page anew; the key only after its scripts listen.
        dialog.get_by_role("button", name="Save").click()
    expect(page.locator(".run-note strong")).to_have_text("bold")
    page.keyboard.press("[")
    expect(page).to_have_url(re.compile(r"/runs/scheduled__3$"))
    assert complaints == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_no_page_of_a_run_has_a_fault_of_access_or_is_wider_than_the_screen(
    browser: Browser, live_server: Any, population: DagRun, scheme: Any, width: int
) -> None:
    Hold.objects.create(dag_run=make_run(population.dag, "held"), held_by="ann", created_at=utcnow())
    viewport: Any = {"width": width, "height": 900}
    page, complaints = signed_in(browser, live_server.url, PATH, viewport=viewport, color_scheme=scheme)
    faults = {}
    for path in (PATH, f"{PATH}?view=gantt", *(f"{PATH}/{tab}" for tab in TABS), "/dags/etl/runs/held", ALL_RUNS):
        page.goto(live_server.url + path)
        found = Axe().run(page).response["violations"]
        faults[path] = [f"{fault['id']}: {node['html'][:200]}" for fault in found for node in fault["nodes"]]
        if page.evaluate("document.documentElement.scrollWidth") > width:
            faults[path].append("too wide")
    assert {path: found for path, found in faults.items() if found} == {}
    assert complaints == []
