"""The lists in Chromium: without faults that axe knows, in both themes and on a phone; chosen rows are changed in a dialog."""

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from accounts.models import AuditLog, User
from runs.models import BulkAction, DagRun, Deadline, XCom
from tests.factories import NOON

pytestmark = pytest.mark.django_db(transaction=True)

LISTS = (
    *("/dag_runs", "/task_instances", "/dags/etl/runs", "/dag_runs?state=failed", "/bulk", "/bulk/{bulk}", "/events", "/xcoms"),
    *("/deadlines", "/jobs", "/import_errors", "/backfills"),
)


def _page(browser: Browser, url: str, admin: User, **options: Any) -> tuple[Page, list[str]]:
    """Open a page of somebody who has signed in."""
    client = Client()
    client.force_login(admin)
    context = browser.new_context(**options)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}])
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page, complaints


@pytest.fixture
def bulk(population: DagRun) -> BulkAction:
    """Something in every list."""
    names = {"dag_id": "etl", "run_id": population.run_id}
    AuditLog.objects.create(
        event="clear_dag_run", owner="ann", before={"state": "failed"}, after={"state": None}, reason="r", **names
    )
    XCom.objects.create(dag_run=population, task_id="load", key="k", value='{"a": 1}', size=8, timestamp=NOON, **names)
    Deadline.objects.create(dag_run=population, dag_id="etl", deadline_time=NOON, created_at=NOON, state="missed")
    selection = {"filters": {"dag_id": "etl", "state": ["failed"]}}
    values = {"actor": "ann", "authority": "user", "created_at": NOON, "state": "running", "total": 9, "done": 4, "changed": 3}
    return BulkAction.objects.create(kind="clear", target="dag_runs", selection=selection, is_frozen=True, **values)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 1440), ("light", 390)])
def test_c07_no_list_has_a_fault_of_access_or_is_wider_than_the_screen(
    browser: Browser, live_server: Any, admin: User, bulk: BulkAction, scheme: Any, width: int
) -> None:
    page, complaints = _page(browser, live_server.url, admin, viewport={"width": width, "height": 900}, color_scheme=scheme)
    faults = {}
    for path in LISTS:
        page.goto(live_server.url + path.format(bulk=bulk.pk))
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            faults[path] = ["too wide"]
        faults[path] = faults.get(path, []) + _axe(page)
    page.goto(f"{live_server.url}/dag_runs")
    page.get_by_text("Filter", exact=True).click()
    expect(page.get_by_role("button", name="Apply").first).to_be_in_viewport()
    faults["filter"] = _axe(page)
    assert {path: found for path, found in faults.items() if found} == {}
    assert complaints == []


def _axe(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]]


def test_c13_chosen_runs_are_cleared_in_a_dialog_that_shows_what_it_touches(
    browser: Browser, live_server: Any, admin: User, population: DagRun
) -> None:
    page, complaints = _page(browser, live_server.url, admin)
    page.goto(f"{live_server.url}/dag_runs?state=failed")
    expect(page.locator("#bulk")).to_be_hidden()
    page.get_by_label("Choose all rows of this page").check()
    expect(page.locator("#bulk")).to_contain_text("2 chosen")
    page.get_by_label("Choose scheduled__1").uncheck()
    expect(page.locator("#bulk")).to_contain_text("1 chosen")
    page.get_by_role("button", name="Clear…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("9 task instances in 1 run")
    dialog.get_by_label("only failed tasks of the runs").check()
    expect(dialog).to_contain_text("2 task instances in 1 run")
    assert _axe(page) == []
    dialog.get_by_label("Reason").fill("the source was down")
    dialog.get_by_role("button", name="Clear", exact=True).click()
    expect(page).to_have_url(re.compile(r"/bulk/\d+$"))
    expect(page.get_by_text("The order is taken")).to_be_visible()
    action = BulkAction.objects.get()
    assert (action.reason, action.options) == ("the source was down", {"only_failed": True})
    BulkAction.objects.update(state="done", is_frozen=True, total=2, done=2, changed=2)
    expect(page.locator("#bulk-action")).to_contain_text("100 % done")
    assert complaints == []


def test_columns_are_chosen_and_kept(browser: Browser, live_server: Any, admin: User, population: DagRun) -> None:
    page, complaints = _page(browser, live_server.url, admin)
    page.goto(f"{live_server.url}/dag_runs")
    expect(page.get_by_role("columnheader", name="Version")).to_be_visible()
    page.get_by_text("Columns", exact=True).click()
    page.get_by_role("checkbox", name="Version", exact=True).uncheck()
    page.get_by_label("Columns").get_by_role("button", name="Apply").click()
    expect(page.get_by_role("columnheader", name="Version")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("columnheader", name="Version")).to_have_count(0)
    assert complaints == []
