"""The grid of a DAG in Chromium: arrow keys, the card, the drawer, filters in the address, and changes as they come."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from accounts.models import User
from dags_app.models import Dag
from orchestrator.kernel.clock import utcnow
from runs.models import DagRun, StateChange, TaskInstance, TaskInstanceHistory
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.ui.logs import said, write_log
from tests.integration.ui.test_grid import SPEC, fill
from tests.ui.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def dag(admin: User) -> Dag:
    dag = make_dag("etl", SPEC)
    for number in range(3):
        fill(dag, number)
    return dag


@pytest.fixture
def page(browser: Browser, live_server: Any, dag: Dag) -> Iterator[Page]:
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{live_server.url}/auth/login/?next=/dags/etl")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_navigation():  # Until its scripts listen.
        page.get_by_role("button", name="Sign in").click()
    expect(page.locator("[data-reach]")).to_have_count(1)
    yield page
    assert complaints == []


def cell(page: Page, task: str, column: int) -> Any:
    return page.locator(f'tr[data-t="{task}"] td').nth(column)


def test_cells_are_reached_by_arrows_named_for_readers_and_opened_by_keys(page: Page) -> None:
    TaskInstance.objects.filter(dag_run__run_id="r2", task_id="q.a").update(state="failed")
    page.reload()
    expect(page.locator("[data-reach]")).to_have_count(1)
    expect(page.get_by_role("grid", name="States of tasks by run")).to_be_visible()
    page.locator("[data-reach]").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    focused = page.locator("td:focus")
    expect(focused).to_have_accessible_name(re.compile(r"^q\.a, Jan 07 12:00:00 UTC · manual, failed$"))
    expect(page.get_by_role("tooltip")).to_contain_text("ValueError: row 2")
    page.keyboard.press("ArrowLeft")
    expect(focused).to_have_accessible_name(re.compile(r"^q\.a, Jan 06"))
    page.keyboard.press(" ")
    expect(page.locator("#drawer")).to_be_visible()
    page.keyboard.press("Escape")
    cell(page, "q.a", 1).focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/dags/etl/runs/r1/tasks/q\.a$"))


def test_a_group_closes_and_rows_are_filtered_in_the_address_and_the_focus_stays(page: Page) -> None:
    page.get_by_role("link", name="Group q").click()
    expect(page).to_have_url(re.compile(r"\?closed=q$"))
    expect(page.locator('tr[data-t="q.a"]')).to_have_count(0)
    page.get_by_label("Filter tasks").fill("sta")
    expect(page).to_have_url(re.compile(r"q=sta.*closed=q|closed=q.*q=sta"))
    expect(page.locator('tr[data-t="q"]')).to_have_count(0)
    page.go_back()
    expect(page.locator('tr[data-t="q"]')).to_have_count(1)
    page.get_by_label("Number of runs").select_option("10")
    expect(page).to_have_url(re.compile("runs=10"))


def test_a_cell_opens_in_the_drawer_and_changes_as_its_task_does(page: Page, dag: Dag) -> None:
    cell(page, "q.b", 2).click()
    drawer = page.locator("#drawer")
    expect(drawer).to_contain_text("3")
    expect(drawer.get_by_role("link", name=re.compile("Clear"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    run = DagRun.objects.get(run_id="r2")
    TaskInstance.objects.filter(dag_run=run, task_id="start").update(state="failed")
    StateChange.objects.create(dag_run=run, task_id="start", to_state="failed", at=utcnow())
    expect(cell(page, "start", 2)).to_have_class("failed")
    new = make_run(dag, "brand_new", run_after=NOON + timedelta(days=9))
    StateChange.objects.create(dag_run=new, to_state="running", at=utcnow())
    expect(page.locator('th[data-run="brand_new"]')).to_have_count(1)


def test_a_log_in_the_drawer_grows_is_searched_and_stays_there_with_another_try(page: Page) -> None:
    run = DagRun.objects.get(run_id="r1")
    TaskInstance.objects.filter(dag_run=run, task_id="start").delete()
    ti = make_ti(run, "start", state="running", start_date=NOON, try_number=2, max_tries=2)
    names = {"dag_run": run, "dag_id": "etl", "run_id": "r1", "task_id": "start", "map_index": -1}
    TaskInstanceHistory.objects.create(pk=uuid4(), try_number=1, state="failed", start_date=NOON, end_date=NOON, **names)
    path = write_log(ti, [said("one"), said("two")])
    cell(page, "start", 1).click()
    drawer = page.locator("#drawer")
    expect(drawer.locator("#log-viewer[data-ready]")).to_be_visible()
    with path.open("a") as file:
        file.write(json.dumps(said("three")) + "\n")
    expect(drawer.locator("#log li")).to_have_count(3)
    drawer.get_by_label("Search the log").fill("three")
    expect(drawer.locator("[data-found]")).to_have_text("1 of 1")
    expect(drawer.get_by_role("link", name="Text", include_hidden=True)).to_have_attribute(
        "href", "/dags/etl/runs/r1/tasks/start?try=2&download=txt"
    )
    drawer.locator(".tries a", has_text="1").click()
    expect(drawer.locator("#log-viewer")).to_have_attribute("data-try", "1")
    expect(page).to_have_url(re.compile(r"/dags/etl$"))
    # What is closed asks for nothing any more.
    drawer.get_by_role("button", name="Close", exact=True).click()
    expect(drawer).to_be_empty()


def test_a_mapped_task_opens_to_its_indexes_by_the_keyboard_and_they_change_as_they_run(page: Page) -> None:
    page.locator("[data-reach]").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "Home"):
        page.keyboard.press(key)
    page.keyboard.press(" ")
    index = page.locator('tr[data-t="q.b"][data-i="1"]')
    expect(index).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?open=q\.b$"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    focused = page.locator("td:focus")
    expect(focused).to_have_accessible_name(re.compile(r"^q\.b \[1\], Jan 07 12:00:00 UTC · manual, success$"))
    run = DagRun.objects.get(run_id="r2")
    TaskInstance.objects.filter(dag_run=run, task_id="q.b", map_index=1).update(state="failed")
    StateChange.objects.create(dag_run=run, task_id="q.b", map_index=1, to_state="failed", at=utcnow())
    expect(index.locator("td").nth(2)).to_have_class("failed")
    expect(focused).to_have_accessible_name(re.compile(r"^q\.b \[1\], Jan 07 12:00:00 UTC · manual, failed$"))
    page.keyboard.press(" ")
    expect(page.locator("#drawer")).to_contain_text("q.b [1]")
    page.keyboard.press("Escape")
    index.locator("td").nth(2).focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/dags/etl/runs/r2/tasks/q\.b/mapped/1$"))
    page.go_back()
    page.get_by_role("link", name="Indexes of b").click()
    expect(page.locator('tr[data-t="q.b"]')).to_have_count(1)


def test_a_cell_of_a_run_with_a_slash_in_its_id_opens_its_page(page: Page, dag: Dag) -> None:
    run = make_run(dag, "asset/a%b", run_after=NOON + timedelta(days=9))
    make_ti(run, "start", state="success")
    page.reload()
    expect(page.locator("[data-reach]")).to_have_count(1)
    cell(page, "start", 3).click()
    expect(page.locator("#drawer")).to_contain_text("The log file does not exist")
    page.keyboard.press("Escape")
    cell(page, "start", 3).focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("start")


def test_who_goes_on_while_the_grid_comes_anew_is_not_taken_back(page: Page, dag: Dag) -> None:
    page.locator("[data-reach]").focus()
    page.keyboard.press("ArrowDown")
    held: list[Route] = []
    page.route("**/dags/etl?part=grid", lambda route: held.append(route), times=1)
    with page.expect_request("**/dags/etl?part=grid"):
        new = make_run(dag, "brand_new", run_after=NOON + timedelta(days=9))
        StateChange.objects.create(dag_run=new, to_state="running", at=utcnow())
    page.keyboard.press("ArrowDown")
    name = re.compile(r"^q\.a, Jan 07 12:00:00 UTC · manual, success$")
    expect(page.locator("td:focus")).to_have_accessible_name(name)
    page.keyboard.press(" ")
    expect(page.locator("#drawer")).to_be_visible()
    held[0].continue_()
    expect(page.locator('th[data-run="brand_new"]')).to_have_count(1)
    expect(page.locator("#drawer :focus")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("td:focus")).to_have_accessible_name(name)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/dags/etl/runs/r2/tasks/q\.a$"))


def test_what_a_person_asked_for_is_not_lost_when_news_come_before_its_answer(page: Page, dag: Dag) -> None:
    held: list[Route] = []
    page.route(re.compile("closed=q"), lambda route: held.append(route), times=1)
    with page.expect_request(re.compile("closed=q")):
        page.get_by_role("link", name="Group q").click()
    with page.expect_request(re.compile("part=grid")):
        new = make_run(dag, "brand_new", run_after=NOON + timedelta(days=9))
        StateChange.objects.create(dag_run=new, to_state="running", at=utcnow())
    held[0].continue_()
    expect(page).to_have_url(re.compile(r"\?closed=q$"))
    expect(page.locator('tr[data-t="q.a"]')).to_have_count(0)
    expect(page.locator('th[data-run="brand_new"]')).to_have_count(1)


PAGES = ("", "/tasks", "/tasks/q.a", "/calendar?at=2026-01", "/durations", "/code", "/versions", "/details", "/compare")


@pytest.mark.parametrize(("width", "scheme"), [(1440, "dark"), (390, "light")])
def test_the_pages_of_a_dag_have_no_fault_that_axe_knows_and_fit_the_screen(
    page: Page, live_server: Any, width: int, scheme: Any
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    faults = {}
    for path in PAGES:
        page.goto(f"{live_server.url}/dags/etl{path}")
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        found = [
            f"{rule['id']}: {node['html'][:120]}" for rule in Axe().run(page).response["violations"] for node in rule["nodes"]
        ]
        faults[path] = found + (["too wide"] if page.evaluate("document.documentElement.scrollWidth") > width else [])
    assert {path: found for path, found in faults.items() if found} == {}
