"""Graphs in Chromium: they draw, groups open and close, the keyboard walks them, states change live, pictures are saved."""

import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from accounts.models import User
from dags_app.models import Asset, AssetReference
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.serialization.spec import DagSpec, TaskGroupSpec, TaskSpec
from runs.models import DagRun, StateChange
from tests.factories import make_dag, make_run, make_ti
from tests.ui.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)


def some_run() -> DagRun:
    """extract → load [2] → group check (rows, nulls) → report, and one task alone."""

    def task(task_id: str, up: list[str], down: list[str], **fields: Any) -> TaskSpec:
        return TaskSpec(task_id=task_id, upstream_task_ids=up, downstream_task_ids=down, task_type="BashOperator", **fields)

    inside = ["check.rows", "check.nulls"]
    tasks = [
        *(task("extract", [], ["load"]), task("load", ["extract"], inside, is_mapped=True), task("alone", [], [])),
        *(task(name, ["load"], ["report"], task_group_id="check", label=name[6:]) for name in inside),
        task("report", inside, []),
    ]
    groups = [
        TaskGroupSpec(None, children=["extract", "load", "check", "report", "alone"]),
        TaskGroupSpec("check", label="check", children=inside, upstream_task_ids=["load"], downstream_task_ids=["report"]),
    ]
    spec = DagSpec(dag_id="drawn", tasks=tasks, task_groups=groups, edge_info={"extract": {"load": {"label": "big"}}})
    run = make_run(make_dag("drawn", spec), "r")
    make_ti(run, "extract", state="running")
    for index, state in enumerate(("success", "failed")):
        make_ti(run, "load", state=state, map_index=index)
    return run


def signed_in(browser: Browser, url: str, path: str, **options: Any) -> tuple[Page, list[str]]:
    page = browser.new_context(**options).new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{url}{path}")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_navigation():  # Until its scripts listen.
        page.get_by_role("button", name="Sign in").click()
    drawn(page)
    return page, complaints


def drawn(page: Page, turn: int = 1) -> None:
    expect(page.locator(".graph")).to_have_attribute("data-drawn", str(turn))


def node(page: Page, name: str) -> Any:
    return page.locator(f'.node[data-id="{name}"]')


def change(run: DagRun, task_id: str, state: str, map_index: int = -1) -> None:
    ti = run.task_instances.get(task_id=task_id, map_index=map_index)
    ti.state = state
    ti.save(update_fields=["state"])
    names = {"ti_id": ti.pk, "task_id": task_id, "map_index": map_index}
    StateChange.objects.create(dag_run=run, to_state=state, at=utcnow(), **names)


def axe(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {item['html'][:120]}" for rule in found for item in rule["nodes"]]


def test_a_run_is_drawn_walked_by_keyboard_and_follows_its_states(browser: Browser, live_server: Any, admin: User) -> None:
    run = some_run()
    page, complaints = signed_in(browser, live_server.url, "/dags/drawn/runs/r/graph")
    expect(page.locator(".node")).to_have_count(7)
    expect(page.locator(".edge .label")).to_have_text("big")
    expect(node(page, "load")).to_have_attribute("aria-label", "load [2], BashOperator, failed, 2 of 2 done")
    expect(node(page, "check")).to_have_attribute("aria-expanded", "true")

    # Nothing is laid out anew for a change of state.
    expect(node(page, "extract")).to_have_class(re.compile("running"))
    change(run, "extract", "success")
    expect(node(page, "extract")).to_have_class(re.compile(r"\bok\b"))
    change(run, "load", "success", map_index=1)
    expect(node(page, "load")).to_have_attribute("aria-label", "load [2], BashOperator, success, 2 of 2 done")
    expect(page.locator(".graph")).to_have_attribute("data-drawn", "1")
    change(run, "load", "failed", map_index=1)
    expect(page.locator("#graph-table").get_by_role("row", name="extract").first).to_contain_text("success")

    assert axe(page) == []
    # Drawing order is reading order: a group comes after what is before it.
    order = page.locator(".node").evaluate_all("all => all.map(element => element.dataset.id)")
    assert order.index("extract") < order.index("load") < order.index("check") < order.index("check.rows") < order.index("report")
    node(page, "extract").focus()
    page.keyboard.press("ArrowRight")
    expect(node(page, "load")).to_be_focused()
    node(page, "check").focus()
    page.keyboard.press("Enter")
    drawn(page, 2)
    expect(page.locator(".node")).to_have_count(5)
    expect(node(page, "check")).to_be_focused()
    expect(page).to_have_url(re.compile(r"\?open=$"))
    page.reload()
    drawn(page)
    expect(node(page, "check")).to_have_attribute("aria-expanded", "false")
    node(page, "check").click()
    drawn(page, 2)
    expect(page).to_have_url(re.compile(r"open=\*|open=%2A"))

    page.get_by_label("Mark a state").select_option("failed")
    expect(page.locator(".node.kept")).to_have_count(1)
    expect(page).to_have_url(re.compile("state=failed"))
    page.get_by_label("Find a task").fill("rows")
    expect(page.locator(".node.found")).to_have_attribute("data-id", "check.rows")
    page.get_by_label("Direction").select_option("TB")
    drawn(page, 3)
    node(page, "extract").click()
    expect(page.locator("#drawer")).to_be_visible()
    page.locator("#drawer [data-close]").first.click()
    page.get_by_role("link", name="after it").click()
    expect(page).to_have_url(re.compile("focus=extract.*scope=down|scope=down.*focus=extract"))
    drawn(page)
    expect(node(page, "alone")).to_have_count(0)
    assert complaints == []


def test_one_key_turns_to_the_next_view_of_the_same_tasks(browser: Browser, live_server: Any, admin: User) -> None:
    run = some_run()
    place = f"/dags/{run.dag_id}"
    page, complaints = signed_in(browser, live_server.url, f"{place}/graph")
    steps = [place, f"{place}/graph"]
    for path in steps:
        with page.expect_navigation():
            page.keyboard.press("v")
        assert page.url == live_server.url + path
    runs = f"{place}/runs/{run.run_id}"
    page.goto(f"{live_server.url}{runs}")
    for path in (f"{runs}?view=gantt", f"{runs}/graph", runs):
        with page.expect_navigation():
            page.keyboard.press("v")
        assert page.url == live_server.url + path
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts").get_by_text("Gantt chart")).to_be_visible()
    assert complaints == []


def test_a_drawing_is_saved_as_svg_and_png(browser: Browser, live_server: Any, admin: User, tmp_path: Path) -> None:
    run = some_run()
    asset = Asset.objects.create(name="orders", uri="orders", group="sales")
    AssetReference.objects.create(dag=run.dag, role=AssetReference.Role.OUTLET, task_id="report", asset=asset)
    page, complaints = signed_in(browser, live_server.url, "/assets/graph", color_scheme="dark")
    expect(node(page, f"asset:{asset.pk}")).to_have_attribute("href", f"/assets/{asset.pk}")
    expect(node(page, "dag:drawn")).to_have_attribute("aria-label", re.compile("drawn, DAG, running"))
    assert axe(page) == []
    for kind, start in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
        page.get_by_label("Download").click()
        with page.expect_download() as saved:
            page.get_by_role("button", name=kind).click()
        content = Path(saved.value.path()).read_bytes()
        assert content.startswith(start) and len(content) > 900
    assert complaints == []


def test_a_mapped_task_in_the_drawer_turns_its_own_pages(browser: Browser, live_server: Any, admin: User) -> None:
    some_run()
    page, complaints = signed_in(browser, live_server.url, "/dags/drawn/runs/r/graph")
    node(page, "load").click()
    drawer = page.locator("#drawer")
    expect(drawer.locator("#indexes tbody tr")).to_have_count(2)
    drawer.locator(".counts").get_by_role("link", name=re.compile("failed")).click()
    expect(drawer.locator("#indexes tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/runs/r/graph"))
    expect(drawer.locator("#indexes")).to_have_attribute(
        "hx-get", re.compile(r"^/dags/drawn/runs/r/tasks/load/.*\?state=failed$")
    )
    assert complaints == []
