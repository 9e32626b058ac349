"""The page of a mapped task with all its indexes, and the page of a task group in a run."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.ids import new_id
from orchestrator.sdk.serialization.spec import DagSpec, TaskGroupSpec, TaskSpec
from orchestrator.templatetags.shown import NOTHING
from runs.models import DagRun, TaskInstance
from runs.pages.mapped import MOST_CELLS, strip_of
from runs.pages.rows import span_of
from runs.reports import Reschedule
from runs.transitions import reschedule
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db
MAPPED = "/dags/d/runs/r/tasks/m/mapped"
GROUP = "/dags/d/runs/r/tasks/group"
LOOKED_AT = NOON + timedelta(minutes=1)


@pytest.fixture
def run() -> DagRun:
    groups = [
        TaskGroupSpec(group_id=None, children=["g", "m"]),
        TaskGroupSpec(group_id="g", label="g", children=["g.a", "g.inner"], tooltip="<b>both</b>"),
        TaskGroupSpec(group_id="g.inner", parent_id="g", label="inner", children=["g.inner.b"]),
    ]
    tasks = [
        TaskSpec(task_id="g.a", label="a", task_group_id="g"),
        TaskSpec(task_id="g.inner.b", label="b", task_group_id="g.inner"),
        TaskSpec(task_id="m", is_mapped=True),
    ]
    return make_run(make_dag("d", DagSpec(dag_id="d", tasks=tasks, task_groups=groups)), "r")


def _indexes(run: DagRun, number: int) -> None:
    version = run.created_dag_version
    TaskInstance.objects.bulk_create(
        TaskInstance(
            id=new_id(), dag_run=run, dag_id="d", run_id="r", task_id="m", map_index=index, dag_version=version, try_number=1,
            state="failed" if index % 500 == 77 else "success", rendered_map_index=f"part {index}", start_date=NOON,
        )
        for index in range(number)
    )  # fmt: skip


def text_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.content)
    return answer.content.decode()


def test_two_thousand_indexes_are_on_one_page_with_the_failed_ones_first(run: DagRun) -> None:
    _indexes(run, 2000)
    client = client_of("User")
    with CaptureQueriesContext(connection) as caught:
        text = text_of(client, MAPPED)
    assert len(caught) <= 12
    assert len(text) < 200_000
    assert text.index("part 77") < text.index("part 1577") < text.index("part 0]")
    assert f'<a href="{MAPPED}?state=failed">' in text
    assert text.count("<tr>") == 101
    assert '<path class="cell failed" d="M616 0h7v7h-7z' in text
    assert 'href="/dags/d/runs/r/tasks/m/clear?only_failed=on' in text
    only = text_of(client, f"{MAPPED}?state=failed")
    assert (only.count("<tr>"), "1 to 4 of 4" in only) == (5, True)
    found = text_of(client, f"{MAPPED}?q=part+123")
    assert ("part 123]" in found, "part 1239]" in found, "part 77]" in found) == (True, True, False)
    last = text_of(client, f"{MAPPED}?offset=1900")
    assert "1901 to 2000 of 2000" in last
    for odd in ("?offset=x", "?offset=99999", "?state=nonsense", "?state=none"):
        assert client.get(MAPPED + odd).status_code == 200, odd
    assert "/m/clear" not in text_of(client_of("Viewer"), MAPPED)


def test_very_many_indexes_share_cells_that_show_the_worst() -> None:
    strip = strip_of([(index, "failed" if index == 7 else "success") for index in range(3 * MOST_CELLS)])
    assert strip.size == 3
    assert dict(strip.paths)["failed"] == "M16 0h7v7h-7z"
    assert strip_of([]).paths == []


def test_a_mapped_task_that_is_not_expanded_has_a_page(run: DagRun) -> None:
    make_ti(run, "m", state=None, try_number=0)
    assert "not expanded yet" in text_of(client_of("Viewer"), MAPPED)
    assert client_of("User").get("/dags/d/runs/r/tasks/no/mapped").status_code == 404


def test_a_group_shows_its_tasks_and_the_groups_inside(run: DagRun) -> None:
    make_ti(run, "g.a", state="success", start_date=NOON, end_date=NOON)
    for index in range(3):
        make_ti(run, "g.inner.b", state="failed" if index else "running", map_index=index)
    client = client_of("User")
    text = text_of(client, f"{GROUP}/g")
    assert f'href="{GROUP}/g.inner"' in text
    assert 'href="/dags/d/runs/r/tasks/g.a"' in text
    assert f'href="{GROUP}/g/clear"' in text
    assert "<b>both</b>" not in text
    inner = text_of(client, f"{GROUP}/g.inner")
    assert "3 indexes" in inner
    assert f'<a href="{GROUP}/g">g</a>' in inner
    assert f"{GROUP}/g/clear" not in text_of(client_of("Viewer"), f"{GROUP}/g")
    assert client.get(f"{GROUP}/none").status_code == 404
    assert client.get("/dags/d/runs/no/tasks/group/g").status_code == 404


def test_a_group_without_instances_or_version_breaks_nothing(run: DagRun) -> None:
    client = client_of("User")
    assert "not in this run" in text_of(client, f"{GROUP}/g")
    DagRun.objects.update(created_dag_version=None)
    assert client.get(f"{GROUP}/g").status_code in (200, 404)


def test_what_goes_on_takes_until_now_even_where_some_of_it_failed_and_what_is_over_until_its_last_end(run: DagRun) -> None:
    later = NOON + timedelta(seconds=90)
    assert span_of(run, Counter(["success", "failed"]), NOON, later) == (later, 90)
    for unfinished in (None, "none", "running", "queued", "up_for_retry", "deferred"):
        end, seconds = span_of(run, Counter(["failed", unfinished]), NOON, later)
        assert end is None
        assert seconds is not None and seconds > 90
    assert span_of(run, Counter(["success", None]), None, None) == (None, None)
    run.state = "failed"
    assert span_of(run, Counter(["failed", None]), NOON, later) == (later, 90)
    assert span_of(run, Counter(["failed", "running"]), NOON, later)[0] is None


@pytest.mark.parametrize("state", ["running", "restarting", "deferred", "awaiting_input"])
def test_the_try_of_a_single_task_takes_until_now_while_it_goes_on(run: DagRun, state: str) -> None:
    end, seconds = span_of(run, {state: 1}, NOON, None)
    assert end is None and seconds is not None and seconds > 90


@pytest.mark.parametrize("state", ["up_for_reschedule", "up_for_retry", "scheduled", "queued", None])
def test_a_single_task_between_two_looks_or_tries_takes_no_time_since_the_next_begins_anew(
    run: DagRun, state: str | None
) -> None:
    assert span_of(run, {state: 1}, NOON, None) == (None, None)
    assert span_of(run, {state: 1}, NOON, NOON + timedelta(seconds=5)) == (NOON + timedelta(seconds=5), 5)


def rescheduled(run: DagRun, task_id: str) -> None:
    """A sensor that looked for three seconds and looks again later, as a worker reports it."""
    ti = make_ti(run, task_id, state="running", start_date=LOOKED_AT)
    reschedule([Reschedule(ti.pk, ti.dispatch_id, utcnow() + timedelta(hours=1), LOOKED_AT + timedelta(seconds=3))], now=utcnow())


def test_no_page_counts_on_for_a_sensor_between_two_looks(run: DagRun) -> None:
    rescheduled(run, "g.a")
    client = client_of("User")
    for path in ("/dags/d/runs/r", "/dags/d/runs/r?view=gantt", "/dags/d/runs/r/tasks/g.a"):
        assert f'data-running-since="{LOOKED_AT.isoformat()}"' not in client.get(path).content.decode(), path
    hint = client.get(f"/dags/d/cell?run={run.pk}&name=g.a&hint").content.decode()
    assert f"<dt>Duration</dt><dd>{NOTHING}</dd>" in hint
    assert [row.seconds for row in client.get(f"{GROUP}/g").context["page"].rows] == [None, None]


def test_a_group_with_a_failed_and_a_running_task_has_no_end_yet(run: DagRun) -> None:
    make_ti(run, "g.a", state="failed", start_date=NOON, end_date=NOON + timedelta(seconds=5))
    make_ti(run, "g.inner.b", state="running", start_date=NOON)
    text = text_of(client_of("User"), f"{GROUP}/g")
    assert f"<dt>Last end</dt><dd>{NOTHING}</dd>" in text
    assert "<dt>Duration</dt><dd>5 s</dd>" not in text
