"""Every page in Chromium: no fault that axe knows, no complaint of the browser, nothing wider than the screen (C07, UI)."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser, Page

from accounts.models import User
from runs.models import DagRun
from tests.integration.accounts.world import fill
from tests.page_routes import Route, page_routes

pytestmark = pytest.mark.django_db(transaction=True)

# It asks another library for its looks.
NO_PAGE = {"api_docs"}
# What cannot be told from the tree of one scheme, and what can be told only there.
RULES: dict[str, Any] = {"light": {}, "dark": {"runOnly": ["color-contrast"]}}


# Each part is a test, so that the workers share them.
PARTS = 3


@pytest.fixture
def pages(population: DagRun, admin: User) -> list[Route]:
    """Each page once, in a world where each has something to show; routes that only take changes are none."""
    client = Client()
    client.force_login(admin)
    routes = {route.name: route for route in page_routes(fill()) if route.name and route.name not in NO_PAGE}
    return [route for route in routes.values() if _is_page(client.get(route.path))]


def _is_page(answer: Any) -> bool:
    return answer.status_code == 200 and answer["Content-Type"].startswith("text/html") and b"<html" in answer.content


def _open(browser: Browser, url: str, admin: User, **options: Any) -> tuple[Page, list[str]]:
    client = Client()
    client.force_login(admin)
    context = browser.new_context(**options)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}])
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(f"{page.url}: {message.text}") if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    return page, complaints


def _faults(page: Page, rules: dict[str, Any]) -> list[str]:
    found = Axe().run(page, options={**rules, "resultTypes": ["violations"]}).response["violations"]
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found for node in rule["nodes"][:3]]


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_fault_of_access(
    browser: Browser, live_server: Any, admin: User, pages: list[Route], scheme: Any, part: int
) -> None:
    page, complaints = _open(browser, live_server.url, admin, color_scheme=scheme, viewport={"width": 1440, "height": 900})
    faults = {}
    for route in pages[part::PARTS]:
        page.goto(live_server.url + route.path)
        faults[route] = _faults(page, RULES[scheme])
    assert {route: found for route, found in faults.items() if found} == {}
    assert complaints == []
    assert len(faults) > 60 // PARTS


def test_no_page_is_wider_than_a_phone(browser: Browser, live_server: Any, admin: User, pages: list[Route]) -> None:
    page, _ = _open(browser, live_server.url, admin, viewport={"width": 390, "height": 844})
    wide = {}
    for route in pages:
        page.goto(live_server.url + route.path)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 390:
            wide[route] = width
    assert wide == {}
