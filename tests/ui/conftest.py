"""Decides what the page tests share: Chromium, signed-in pages, and a small population."""

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from accounts.models import User
from dags_app.models import Dag, ParseImportError
from orchestrator.config import conf
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs.live import feed
from runs.models import DagRun
from tests.factories import NOON, make_dag, make_run, make_ti

PASSWORD = "a-long-password"
# A machine that does other things besides is slow, most of all with the first page of all; what fails takes as long as this.
SEEN_MS, LOADED_MS = 30_000, 120_000
expect.set_options(timeout=SEEN_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Some open each page of all: a busy machine gets time for them."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Playwright keeps an event loop in this thread, which Django would take for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"], timeout=LOADED_MS)
        made.on("context", lambda context: context.set_default_timeout(LOADED_MS))
        yield made
        made.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(autouse=True)
def _nothing_of_another_test(browser: Browser) -> Iterator[None]:
    """Begin without news, and close what was opened before the database is emptied: an open page goes on asking."""
    feed.forget()
    yield
    for context in browser.contexts:
        context.close()


def mounted(page: Page, name: str) -> None:
    """Wait until a part of a page that is loaded listens: its script comes after the others, which ask for it."""
    page.evaluate("name => import(new URL(`${name}.js`, document.querySelector('script[type=module]').src))", name)


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_superuser("admin", password=PASSWORD)


@pytest.fixture
def population(admin: User) -> DagRun:
    """Two DAGs, one with a failed run whose task wrote a log, and an import error."""
    spec = DagSpec(
        dag_id="etl", timetable={"type": "NullTimetable"}, tasks=[TaskSpec(task_id="extract"), TaskSpec(task_id="load")]
    )
    dag = make_dag("etl", spec, timetable_description="At 06:00", timetable_summary="0 6 * * *", owners="ops")
    dag.tags.create(name="sales")
    make_dag("quiet", is_paused=True)
    for number, state in enumerate(("success", "failed", "success", "running")):
        make_run(dag, f"scheduled__{number}", state=state, run_after=NOON + timedelta(days=number), run_type="scheduled")
    run = make_run(dag, "manual__1", state="failed", run_after=NOON + timedelta(days=9), end_date=NOON + timedelta(seconds=64))
    times = {"start_date": NOON, "end_date": NOON + timedelta(seconds=59), "duration": 59.0}
    make_ti(run, "extract", state="success", operator="PythonOperator", custom_operator_name="@task", **times)
    failed = make_ti(
        run, "load", state="failed", operator="BashOperator", cause="exit_code", cause_detail="exit 1", exit_code=1, **times
    )
    for number, state in enumerate(("up_for_retry", "skipped", "deferred", "queued", "upstream_failed", "awaiting_input", None)):
        make_ti(run, f"other_{number}", state=state)
    write_log(failed)
    ParseImportError.objects.create(
        bundle=dag.bundle, filename="broken.py", timestamp=NOON, stacktrace="SyntaxError: invalid syntax"
    )
    Dag.objects.filter(pk="etl").update(has_import_errors=True, next_dagrun_create_after=NOON + timedelta(days=10))
    return run


def write_log(ti: Any) -> Path:
    records = [
        {
            "timestamp": "2026-01-05T12:00:00.123456Z",
            "level": "info",
            "event": "starting <script>alert(1)</script>",
            "logger": "task",
        },
        {"timestamp": "2026-01-05T12:00:01Z", "level": "warning", "event": "\x1b[31mred\x1b[0m text"},
        {
            "timestamp": "2026-01-05T12:00:02Z",
            "level": "error",
            "event": "Task failed",
            "error_detail": [
                {
                    "exc_type": "ValueError",
                    "exc_value": "no rows",
                    "frames": [{"filename": "etl.py", "lineno": 7, "name": "load"}],
                }
            ],
        },
    ]
    base = Path(conf.get("logging", "base_log_folder"))
    path = base / f"dag_id={ti.dag_id}/run_id={ti.run_id}/task_id={ti.task_id}/attempt={ti.try_number}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path
