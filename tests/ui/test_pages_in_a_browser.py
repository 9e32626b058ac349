"""The pages in Chromium: signing in, a DAG, starting a run, its log, both themes, a phone."""

import os
import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.models import User
from orchestrator.kernel.clock import utcnow
from runs.models import DagRun, StateChange, TaskInstance
from tests.factories import make_ti
from tests.ui.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)


def _signed_in(browser: Browser, url: str, **options: Any) -> tuple[Page, list[str]]:
    page = browser.new_context(**options).new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{url}/dags")
    expect(page).to_have_url(re.compile(r"/auth/login/\?next=/dags"))
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_navigation():  # Until its scripts listen.
        page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("DAGs")
    return page, complaints


def test_a_person_signs_in_starts_a_run_and_reads_a_log(browser: Browser, live_server: Any, population: DagRun) -> None:
    page, complaints = _signed_in(browser, live_server.url)
    _picture(page, "dags")
    page.get_by_role("link", name="Trigger etl").click()
    page.locator("#dialog").get_by_role("button", name="Trigger", exact=True).click()
    expect(page).to_have_url(re.compile(r"/dags/etl/runs/manual__"))
    run = DagRun.objects.latest("id")
    assert (run.triggered_by, run.triggering_user_name) == ("ui", "admin")
    StateChange.objects.create(dag_run=run, ti_id=make_ti(run, "extract", state="running").pk, task_id="extract", at=utcnow())
    expect(page.get_by_role("link", name="extract")).to_be_visible()

    page.goto(f"{live_server.url}/dags/etl/runs/manual__1")
    _picture(page, "run")
    page.locator("#tasks").get_by_role("link", name="load").click()
    expect(page.get_by_text("ValueError: no rows")).to_be_visible()
    expect(page.get_by_text("red text")).to_be_visible()
    expect(page.get_by_text("starting <script>alert(1)</script>")).to_be_visible()
    _picture(page, "log")
    page.get_by_text("Levels").click()
    page.get_by_role("checkbox", name="warning").uncheck()
    expect(page.get_by_text("red text")).to_be_hidden()
    page.get_by_role("link", name="Import errors").click()
    expect(page.get_by_text("SyntaxError")).to_be_visible()
    _picture(page, "errors")
    assert complaints == []


def test_a_live_log_grows_on_the_page(browser: Browser, live_server: Any, population: DagRun) -> None:
    from tests.ui.conftest import write_log

    ti = make_ti(population, "streaming", state="running")
    path = write_log(ti)
    page, _ = _signed_in(browser, live_server.url)
    page.goto(f"{live_server.url}/dags/etl/runs/manual__1/tasks/streaming")
    expect(page.get_by_text("Task failed")).to_be_visible()
    with path.open("a") as file:
        file.write('{"timestamp": "2026-01-05T12:00:03Z", "level": "info", "event": "one more line"}\n')
    expect(page.get_by_text("one more line")).to_be_visible()


def test_a_dag_is_paused_by_its_switch(browser: Browser, live_server: Any, population: DagRun) -> None:
    page, _ = _signed_in(browser, live_server.url)
    page.get_by_role("switch", name="etl is scheduled").click()
    expect(page.get_by_role("switch", name="etl is scheduled")).to_have_attribute("aria-checked", "false")
    assert population.dag.__class__.objects.get(pk="etl").is_paused


@pytest.mark.parametrize(("name", "width", "scheme"), [("dark", 1440, "dark"), ("phone", 390, "light")])
def test_no_page_is_wider_than_the_screen(
    browser: Browser, live_server: Any, population: DagRun, name: str, width: int, scheme: Any
) -> None:
    page, complaints = _signed_in(browser, live_server.url, viewport={"width": width, "height": 844}, color_scheme=scheme)
    for title, path in (("dags", "/dags"), ("run", "/dags/etl/runs/manual__1"), ("log", "/dags/etl/runs/manual__1/tasks/load")):
        page.goto(live_server.url + path)
        _picture(page, f"{title}-{name}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints == []


def test_the_theme_is_kept(browser: Browser, live_server: Any, admin: User) -> None:
    page, _ = _signed_in(browser, live_server.url, color_scheme="light")
    with page.expect_response("**/settings/preferences"):
        page.get_by_role("button", name="Switch between light and dark").click()
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 22, 29)"


def test_the_task_states_all_have_a_word(browser: Browser, live_server: Any, population: DagRun) -> None:
    page, _ = _signed_in(browser, live_server.url)
    page.goto(f"{live_server.url}/dags/etl/runs/manual__1")
    for state in TaskInstance.objects.filter(dag_run=population).values_list("state", flat=True).distinct():
        expect(page.locator("tbody .state", has_text=(state or "no state").replace("_", " ")).first).to_be_visible()


def _picture(page: Page, name: str) -> None:
    """Keep a picture where the environment asks for it; for people, not for the test."""
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
