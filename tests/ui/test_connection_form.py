"""The form of connections in Chromium: fields by type, their JSON, stored secrets, the test button; no script is inline (C29)."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.models import User
from orchestrator.config import conf
from runs.connection_tests.duty import LOOK_SECONDS, RunConnectionTests
from tests.provider_package import make_provider
from tests.ui.conftest import PASSWORD
from tests.waiting import wait_until
from vault.connection_types import known_types
from vault.models import Connection
from vault.services import connection_set

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def acme(live_server: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A provider package that server and worker both have, and tests of connections."""
    site = make_provider(tmp_path)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setenv("AIRFLOW__CORE__TEST_CONNECTION", "Enabled")
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", f"{live_server.url}/execution/")
    conf.reload()
    known_types.cache_clear()
    yield
    monkeypatch.undo()
    conf.reload()
    known_types.cache_clear()


def _opened(browser: Browser, url: str, path: str, **options: Any) -> tuple[Page, list[str]]:
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


def test_a_connection_is_made_by_the_fields_of_its_type(browser: Browser, live_server: Any, admin: User, acme: None) -> None:
    page, complaints = _opened(browser, live_server.url, "/admin/vault/connection/add/", color_scheme="dark")
    page.get_by_label("Connection id").fill("c")
    page.get_by_label("Type").fill("acme")
    page.get_by_label("Type").blur()
    expect(page.get_by_text("Acme, of acme-provider")).to_be_visible()
    expect(page.get_by_label("Schema")).to_be_hidden()
    page.get_by_label("Key").fill("key-1")
    page.get_by_label("Depth").fill("7")
    page.get_by_label("Seal").fill("sea1ed")
    extra = page.get_by_label("Extra")
    assert json.loads(extra.input_value()) == {"depth": 7, "seal": "sea1ed"}
    page.get_by_label("Depth").fill("")
    extra.fill(json.dumps({"seal": "sea1ed", "witness": "/tmp/w", "more": [1]}))
    expect(page.get_by_label("Witness")).to_have_value("/tmp/w")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
    row = Connection.objects.get()
    assert (row.login, json.loads(row.get_extra() or "")) == ("key-1", {"seal": "sea1ed", "witness": "/tmp/w", "more": [1]})
    assert complaints == []


def test_a_stored_connection_is_tested_from_its_form_and_shows_no_secret(
    browser: Browser, live_server: Any, admin: User, acme: None, tmp_path: Path
) -> None:
    extra = {"witness": str(tmp_path / "witness"), "seal": "sea1ed"}
    row = connection_set("c", conn_type="acme", host="up", login="key-1", password="p4ssw0rd", extra=json.dumps(extra))
    page, complaints = _opened(browser, live_server.url, f"/admin/vault/connection/{row.pk}/change/")
    expect(page.get_by_label("Seal")).to_have_attribute("placeholder", "stored; leave empty to keep it")
    assert "sea1ed" not in page.content() and "p4ssw0rd" not in page.content()
    page.get_by_role("button", name="Test connection").click()
    duty, result = RunConnectionTests(), page.locator("#connection-test-result")

    def told() -> bool:
        duty.run_once(5)
        return "signed in to up as key-1" in result.inner_text()

    wait_until(told, 60, what="the result on the page")
    wait_until(lambda: duty.run_once(5).next_in == LOOK_SECONDS, 60, what="the end of the worker")
    assert json.loads((tmp_path / "witness").read_text())["password"] == "p4ssw0rd"
    page.get_by_label("Depth").fill("9")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    row.refresh_from_db()
    assert (row.get_password(), json.loads(row.get_extra() or "")) == ("p4ssw0rd", extra | {"depth": 9})
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_the_admin_raise_no_complaint_and_fit_the_screen(
    browser: Browser, live_server: Any, admin: User, population: Any, scheme: Any
) -> None:
    """Nothing is inline: the content security policy has no ``unsafe`` for scripts."""
    page, complaints = _opened(browser, live_server.url, "/admin/", color_scheme=scheme, viewport={"width": 1280, "height": 800})
    for path in ("", "vault/variable/", "runs/pool/add/", "runs/dagrun/", "dags_app/dag/", f"accounts/user/{admin.pk}/change/"):
        page.goto(f"{live_server.url}/admin/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280, path
    assert complaints == []
