"""The pages of a task instance in Chromium: the head changes by itself, values are written in a dialog, indexes are opened."""

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from orchestrator.kernel.clock import utcnow
from runs.models import DagRun, StateChange, TaskInstance, XCom
from tests.factories import NOON, make_ti
from tests.ui.conftest import PASSWORD, mounted

pytestmark = pytest.mark.django_db(transaction=True)
RUN = "/dags/etl/runs/manual__1/tasks"


def _open(browser: Browser, url: str, path: str, **options: Any) -> tuple[Page, list[str]]:
    page = browser.new_context(**options).new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{url}/auth/login/?next={path}")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_navigation():  # Until its scripts listen.
        page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    return page, complaints


def test_the_head_follows_the_run_and_values_are_written_in_a_dialog(
    browser: Browser, live_server: Any, population: DagRun
) -> None:
    ti = make_ti(population, "moving", state="running", start_date=NOON)
    page, complaints = _open(browser, live_server.url, f"{RUN}/moving/xcom")
    expect(page.get_by_role("link", name="Hold")).to_be_visible()
    TaskInstance.objects.filter(pk=ti.pk).update(state="failed", end_date=utcnow(), cause="exit_code")
    names = {"dag_run": population, "ti_id": ti.pk, "task_id": "moving", "try_number": 1, "at": utcnow()}
    StateChange.objects.create(from_state="running", to_state="failed", **names)
    expect(page.locator("h1 .state")).to_contain_text("failed")
    expect(page.get_by_role("link", name="Hold")).to_be_hidden()
    page.get_by_role("link", name="Add an XCom").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Key").fill("rows")
    dialog.get_by_label("Value").fill("no json")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("This is not JSON")
    dialog.get_by_label("Value").fill('{"count": 3}')
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("rows is saved.")).to_be_visible()
    assert XCom.objects.get(key="rows").value == '{"count": 3}'
    page.get_by_role("link", name="Details").click()
    expect(page.get_by_role("heading", name="Where it runs")).to_be_visible()
    assert [text for text in complaints if "422" not in text] == []


def test_an_index_is_opened_from_the_picture_of_all(browser: Browser, live_server: Any, population: DagRun) -> None:
    made = [make_ti(population, "many", map_index=index, state="success", start_date=NOON) for index in range(3)]
    page, complaints = _open(browser, live_server.url, f"{RUN}/many")
    expect(page).to_have_url(re.compile("/many/mapped$"))
    for index in range(3, 12):
        made.append(make_ti(population, "many", map_index=index, state="failed" if index == 7 else "success", start_date=NOON))
    names = {"dag_run": population, "ti_id": made[7].pk, "task_id": "many", "map_index": 7, "try_number": 1}
    StateChange.objects.create(from_state="running", to_state="failed", at=utcnow(), **names)
    expect(page.locator("tbody tr").first).to_contain_text("failed")
    mounted(page, "mapped")
    page.locator("svg.heat").click(position={"x": 7 * 8 + 3, "y": 3})
    expect(page).to_have_url(re.compile("/many/mapped/7$"))
    assert complaints == []


@pytest.mark.parametrize(("width", "scheme"), [(1440, "dark"), (390, "light")])
def test_no_page_of_an_instance_has_a_fault_that_axe_knows_or_is_too_wide(
    browser: Browser, live_server: Any, population: DagRun, width: int, scheme: Any
) -> None:
    failed = TaskInstance.objects.get(dag_run=population, task_id="load")
    TaskInstance.objects.filter(pk=failed.pk).update(note="see *this*", max_tries=1)
    for index in range(3):
        make_ti(population, "many", map_index=index, state="failed", start_date=NOON, rendered_map_index="x" * 120)
    names = {"dag_run": population, "dag_id": "etl", "run_id": "manual__1", "task_id": "load", "timestamp": NOON}
    XCom.objects.create(key="k", value='{"a": [1, "x", null]}', size=20, **names)
    path = f"{RUN}/load"
    page, complaints = _open(browser, live_server.url, path, viewport={"width": width, "height": 844}, color_scheme=scheme)
    tabs = ("", "/rendered_templates", "/xcom", "/task-state-store", "/asset_events", "/events", "/code", "/details")
    faults: dict[str, Any] = {}
    for place in (*(f"{path}{tab}" for tab in tabs), f"{RUN}/many/mapped", f"{RUN}/other_4"):
        page.goto(f"{live_server.url}{place}")
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        faults[place] = _axe(page)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            faults[place].append("too wide")
    assert {place: found for place, found in faults.items() if found} == {}
    assert complaints == []


def _axe(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]]


def test_keys_walk_over_the_indexes_of_a_mapped_task(browser: Browser, live_server: Any, population: DagRun) -> None:
    for index in range(3):
        make_ti(population, "parts", state="success", map_index=index)
    page, complaints = _open(browser, live_server.url, f"{RUN}/parts/mapped/1/details")
    with page.expect_navigation():
        page.keyboard.press("]")
    expect(page.get_by_text("the last index")).to_be_visible()
    assert page.url.endswith("/parts/mapped/2/details")
    with page.expect_navigation():
        page.keyboard.press("[")
    assert page.url.endswith("/parts/mapped/1/details")
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet.get_by_text("Previous index")).to_be_visible()
    expect(sheet.get_by_text("Sidebar small or wide")).to_be_hidden()
    assert complaints == []
