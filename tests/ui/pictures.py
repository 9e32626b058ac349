"""Decides which pictures of the pages the README and the documents show: `make screenshots` takes them from a running platform.

A standalone in a temporary home runs the DAG files of ``tests/ui/demo`` and the example of human decisions. Not a test.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.client import PASSWORDS, Client
from tests.deployment import Deployment, Template
from tests.oracle import REPOSITORY
from tests.waiting import wait_until

PLACE = REPOSITORY / "docs" / "screenshots"
DEMO = Path(__file__).parent / "demo"
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
SALES_RUNS = 12
ON_PHONE = {"home", "dags", "grid", "run", "log", "required_actions"}


def main() -> int:
    """Start the platform, let it work, take the pictures; only those whose names are given, where some are."""
    with tempfile.TemporaryDirectory(prefix="pictures-") as folder:
        platform = Template(Path(folder) / "template", None).copy(Path(folder) / "home")
        try:
            client = _working(platform)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
                _take_all(browser, platform, _places(client), set(sys.argv[1:]))
        finally:
            platform.stop()
    return 0


def _working(platform: Deployment) -> Client:
    """Run the demo until the days have been loaded and a model trains."""
    for file in (*DEMO.glob("*.py"), REPOSITORY / "dags" / "example_hitl.py"):
        shutil.copy(file, platform.dags)
    platform.env["AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION"] = "False"
    platform.start("standalone")
    client = Client(platform.url, platform.home)
    wait_until(client.sign_in, 60, what="the administrator")
    wait_until(lambda: client.answered("/api/v2/dags/example_hitl"), 60, what="the DAG files")
    client.post("/api/v2/dags/example_hitl/dagRuns", {"logical_date": None})
    wait_until(lambda: _ended(client) >= SALES_RUNS, 240, what="the runs of etl_sales", interval=1)
    wait_until(lambda: _instances(client, "train_model", "running"), 60, what="the training", interval=1)
    return client


def _ended(client: Client) -> int:
    found = client.answered("/api/v2/dags/etl_sales/dagRuns?state=success&state=failed&limit=1")
    return int(found["total_entries"]) if found else 0


def _instances(client: Client, dag: str, state: str) -> list[dict[str, Any]]:
    found = client.answered(f"/api/v2/dags/{dag}/dagRuns/~/taskInstances?state={state}")
    return found["task_instances"] if found else []


def _places(client: Client) -> dict[str, str]:
    """Return the path of each picture by its name."""
    failed = client.get("/api/v2/dags/etl_sales/dagRuns?state=failed&order_by=-run_after&limit=1")["dag_runs"][0]["dag_run_id"]
    task = next(ti for ti in _instances(client, "etl_sales", "failed") if ti["dag_run_id"] == failed)
    run = f"/dags/etl_sales/runs/{failed}"
    return {
        "home": "/",
        "dags": "/dags",
        "grid": "/dags/etl_sales",
        "graph": f"{run}/graph",
        "calendar": "/dags/etl_sales/calendar",
        "run": run,
        "log": f"{run}/tasks/load_part/mapped/{task['map_index']}?try={task['try_number']}",
        "log_search": "/dags/etl_sales/log_search?level=error",
        "mapped": f"{run}/tasks/load_part/mapped",
        "trigger": "/dags/etl_sales/trigger",
        "clear": f"{run}/clear",
        "timeline": "/timeline",
        "assets": "/assets/graph",
        "required_actions": "/required_actions",
        "import_errors": "/import_errors",
        "task_instances": "/task_instances",
    }


def _take_all(browser: Browser, platform: Deployment, places: dict[str, str], wanted: set[str]) -> None:
    PLACE.mkdir(parents=True, exist_ok=True)
    looks: dict[str, Any] = {
        "": {"viewport": WIDE, "color_scheme": "light"},
        "_dark": {"viewport": WIDE, "color_scheme": "dark"},
        "_phone": {"viewport": PHONE, "color_scheme": "light"},
    }
    for suffix, look in looks.items():
        page = _signed_in(browser.new_context(**look).new_page(), platform)
        for name, path in places.items():
            if (not wanted or name in wanted) and (suffix != "_phone" or name in ON_PHONE):
                _take(page, platform.url + path, PLACE / f"{name}{suffix}.png")


def _signed_in(page: Page, platform: Deployment) -> Page:
    name, password = next(iter(json.loads((platform.home / PASSWORDS).read_text()).items()))
    page.goto(f"{platform.url}/auth/login/")
    page.locator("input[name=username]").fill(name)
    page.locator("input[name=password]").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/auth/" not in url)
    return page


def _take(page: Page, url: str, file: Path) -> None:
    answer = page.goto(url)
    if answer is None or not answer.ok:
        raise RuntimeError(f"{url} answered {answer.status if answer else 'nothing'}")
    page.locator(".graph:not([data-drawn])").first.wait_for(state="detached")
    page.screenshot(path=str(file))


if __name__ == "__main__":
    sys.exit(main())
