"""The shell and the pages that administer, in Chromium: a connection in a dialog, the time zone, all places on a phone."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from accounts.models import User
from tests.ui.conftest import PASSWORD, mounted
from vault.models import Connection
from vault.services import connection_set, variable_set

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = (
    *("/settings", "/required_actions", "/connections", "/connections/db/edit", "/connections/import", "/variables"),
    *("/variables/add", "/variables/delete?selected=region", "/pools", "/pools/add", "/providers", "/plugins"),
)


def opened(browser: Browser, url: str, path: str, **options: Any) -> tuple[Page, list[str]]:
    page = browser.new_context(**options).new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{url}/auth/login/?next={path}")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_navigation():  # Until its scripts listen.
        page.get_by_role("button", name="Sign in").click()
    return page, complaints


def test_a_connection_is_made_and_changed_in_a_dialog_that_knows_its_type(
    browser: Browser, live_server: Any, admin: User
) -> None:
    page, complaints = opened(browser, live_server.url, "/connections")
    page.get_by_role("link", name="Add connection").first.click()
    form = page.get_by_role("dialog")
    form.get_by_label("Connection id").fill("mail")
    form.get_by_label("Type", exact=True).fill("smtp")
    form.get_by_label("Type", exact=True).blur()
    form.get_by_label("Number of Retries").fill("3")
    form.get_by_label("Password").fill("p4ssw0rd")
    with page.expect_navigation():  # Before its scripts listen, a link leads to a page, and to no dialog.
        form.get_by_role("button", name="Add connection").click()
    expect(page.get_by_text("Connection mail is made.")).to_be_visible()
    row = Connection.objects.get()
    assert row.get_password() == "p4ssw0rd" and '"retry_limit": 3' in (row.get_extra() or "")
    page.get_by_role("link", name="Edit mail").click()
    expect(form.get_by_label("Number of Retries")).to_have_value("3")
    assert "p4ssw0rd" not in page.content()
    form.get_by_label("Host").fill("mx")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Connection mail is saved.")).to_be_visible()
    row.refresh_from_db()
    assert (row.host, row.get_password()) == ("mx", "p4ssw0rd")
    assert complaints == []


def test_the_zone_of_the_browser_is_one_touch_away(browser: Browser, live_server: Any, admin: User) -> None:
    page, complaints = opened(browser, live_server.url, "/settings", timezone_id="Asia/Tokyo")
    with page.expect_navigation():
        page.get_by_role("button", name="Use Asia/Tokyo").click()
    expect(page.get_by_text("Your settings are saved.")).to_be_visible()
    expect(page.locator(".top .zone")).to_have_text("Asia/Tokyo")
    mounted(page, "settings")
    page.get_by_role("radio", name="dark").check()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert complaints == []


def test_all_places_are_behind_more_on_a_phone(browser: Browser, live_server: Any, admin: User) -> None:
    page, complaints = opened(browser, live_server.url, "/pools", viewport={"width": 390, "height": 800})
    more = page.get_by_role("button", name="More")
    expect(page.get_by_role("link", name="Plugins")).to_be_hidden()
    more.click()
    expect(more).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("link", name="Plugins")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Plugins")).to_be_hidden()
    expect(more).to_be_focused()
    more.click()
    page.get_by_role("link", name="Plugins").click()
    expect(page.get_by_role("heading", name="No plugin")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert complaints == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_no_page_that_administers_has_a_fault_of_access_or_is_wider_than_the_screen(
    browser: Browser, live_server: Any, admin: User, scheme: Any, width: int
) -> None:
    variable_set("region", "eu", description="d")
    connection_set("db", conn_type="postgres", host="h", port=5432)
    look: Any = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    page, complaints = opened(browser, live_server.url, "/settings", **look)
    faults = {}
    for path in PAGES:
        page.goto(live_server.url + path)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        found = Axe().run(page).response["violations"]
        faults[path] = [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]]
        if page.evaluate("document.documentElement.scrollWidth") > width:
            faults[path].append("too wide")
    assert {path: found for path, found in faults.items() if found} == {}
    assert complaints == []
