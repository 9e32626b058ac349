"""A question is answered with one thumb on a phone; without scripts the same form works."""

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from accounts.models import User
from runs.hitl.services import question_ask
from runs.models import HITLDetail
from tests.factories import make_dag, make_run, make_ti
from tests.ui.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)

QUESTION = {
    "options": ["Approve", "Reject"],
    "subject": "Pay 700 €?",
    "body": "By **bank**.",
    "defaults": None,
    "multiple": False,
    "params": {"amount": {"value": 700, "description": None, "schema": {"type": "integer"}}},
}


def opened(browser: Browser, url: str, **options: Any) -> Page:
    phone = {"viewport": {"width": 390, "height": 800}, "has_touch": True} | options
    page = browser.new_context(**phone).new_page()
    page.goto(f"{url}/auth/login/?next=/required_actions")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_navigation():  # Until its scripts listen.
        page.get_by_role("button", name="Sign in").click()
    return page


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
def test_a_question_is_answered_on_a_phone(browser: Browser, live_server: Any, admin: User, scripts: bool) -> None:
    ti = make_ti(make_run(make_dag("etl"), "r"), "t", state="awaiting_input")
    question_ask(ti, QUESTION, now=timezone.now())
    page = opened(browser, live_server.url, java_script_enabled=scripts)
    expect(page.get_by_label("amount")).to_be_hidden()
    with page.expect_navigation():  # What is measured has its looks only then.
        page.get_by_role("link", name="Pay 700 €?").click()
    approve = page.get_by_role("button", name="Approve")
    box = approve.bounding_box()
    assert box is not None and box["height"] >= 44 and box["y"] + box["height"] <= 800 - 52
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_label("amount").fill("650")
    approve.click()
    expect(page.get_by_text("“Pay 700 €?” is answered: Approve.")).to_be_visible()
    expect(page.get_by_role("heading", name="Nothing waits for you")).to_be_visible()
    row = HITLDetail.objects.get()
    assert (row.chosen_options, row.params_input) == (["Approve"], {"amount": 650})
