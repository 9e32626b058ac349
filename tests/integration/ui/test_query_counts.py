"""C07-a: a page takes at most 8 queries, whatever the size of what it shows and whatever there is to say about it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import DagRule, User
from accounts.roles import Role
from dags_app.models import Dag, DagCode, DagFavorite, DagOwnerLink, DagTag, DagVersion, DagWarning, ParseImportError
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs.models import DagRun, HITLDetail, TaskInstance
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.ui.costs import queries_of
from tests.integration.ui.logs import said, write_log
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db

MOST = 8
# Rules themselves, the role that they give on the DAG, the numbers of the sidebar of what they leave.
OF_RULES = 3


def spec(dag_id: str, tasks: int) -> DagSpec:
    wide = (TaskSpec(task_id=f"t{number}") for number in range(tasks))
    return DagSpec(dag_id=dag_id, tasks=[*wide, TaskSpec(task_id="many", is_mapped=True, upstream_task_ids=["t0"])])


@pytest.fixture
def dag() -> Dag:
    return make_dag("etl", spec("etl", 3), owners="ann, bob")


@pytest.fixture
def client(dag: Dag) -> Client:
    return client_of("Admin", name="boss")


def fill(dag: Dag, run_id: str, *, tasks: int = 3, indexes: int = 2, state: str = "success", **fields: Any) -> DagRun:
    """A run of plain and mapped task instances; in a failed one a third of both failed."""
    at = fields.pop("run_after", utcnow())
    ended = {"end_date": at + timedelta(seconds=60)} if state in ("success", "failed") else {}
    run = make_run(dag, run_id, state=state, run_after=at, start_date=at, **ended, **fields)
    places = [*((f"t{number}", -1) for number in range(tasks)), *(("many", index) for index in range(indexes))]
    TaskInstance.objects.bulk_create(_instance(run, at, place, *named) for place, named in enumerate(places))
    return run


def _instance(run: DagRun, at: Any, place: int, task_id: str, map_index: int) -> TaskInstance:
    has_failed = run.state == "failed" and place % 3 == 0
    cause = {"cause": "user_exception", "cause_detail": f"ValueError: {'abcdefgh'[place % 8]}"} if has_failed else {}
    return TaskInstance(
        dag_run=run, dag_id=run.dag_id, run_id=run.run_id, task_id=task_id, map_index=map_index,
        dag_version=run.created_dag_version, state="failed" if has_failed else "success", try_number=1 + place % 2,
        start_date=at, end_date=at, duration=1.0, **cause,
    )  # fmt: skip


def break_everything(dag: Dag) -> None:
    """An import error, warnings, a question, tags, owners with links, a favourite."""
    ParseImportError.objects.create(bundle=dag.bundle, filename=dag.relative_fileloc, timestamp=NOON, stacktrace="NameError: x")
    Dag.objects.filter(pk=dag.pk).update(has_import_errors=True)
    for number, kind in enumerate(("asset conflict", "non-existent pool")):
        DagWarning.objects.create(dag=dag, warning_type=kind, message=kind, timestamp=NOON)
        DagTag.objects.create(dag=dag, name=f"tag{number}")
    DagOwnerLink.objects.create(dag=dag, owner="ann", link="https://ann.example")
    DagFavorite.objects.create(dag=dag, user_name="boss")
    ti = make_ti(make_run(dag, "asks", run_after=NOON), "t0", state="awaiting_input")
    HITLDetail.objects.create(ti_id=ti.pk, dag_run=ti.dag_run, task_id="t0", subject="?", options=["a"], created_at=NOON)


def counted(client: Client, path: str) -> int:
    """How many queries a page takes once what a process keeps of a DAG's version is in its memory."""
    queries_of(client, path)
    return queries_of(client, path)


@pytest.mark.parametrize("query", ["", "?runs=50&q=t", "?failing=on", "?before={run}", "?after={run}"])
def test_c07a_the_page_of_a_dag_takes_as_many_queries_for_many_runs_and_tasks_and_troubles(
    client: Client, dag: Dag, query: str
) -> None:
    fill(dag, "before", run_after=utcnow() - timedelta(days=1))
    path = f"/dags/etl{query.format(run=fill(dag, 'first', state='failed').pk)}"
    fill(dag, "after", run_after=utcnow() + timedelta(days=1))
    few = counted(client, path)
    break_everything(dag)
    for number in range(30):
        fill(dag, f"r{number}", tasks=20, indexes=20, state=["failed", "success", "running"][number % 3])
    assert counted(client, path) == few <= MOST


def test_c07a_the_page_of_a_dag_takes_two_queries_more_for_the_indexes_that_one_opens(client: Client, dag: Dag) -> None:
    fill(dag, "first", state="failed", indexes=50)
    assert counted(client, "/dags/etl?open=many") == counted(client, "/dags/etl") + 2 <= MOST + 1


def test_c07a_rules_cost_the_page_of_a_dag_three_queries(dag: Dag) -> None:
    fill(dag, "first", state="failed")
    break_everything(dag)
    client = client_of("User", name="ann")
    without = counted(client, "/dags/etl")
    DagRule.objects.create(user=User.objects.get(username="ann"), dag_id="e*", role=Role.USER)
    assert counted(client, "/dags/etl") == without + OF_RULES <= MOST + OF_RULES


@pytest.mark.parametrize("query", ["", "?view=gantt", "?q=t"])
@pytest.mark.parametrize("state", ["success", "failed"])
def test_c07a_the_page_of_a_run_takes_as_many_queries_for_many_tasks_and_indexes_and_a_long_past(
    client: Client, dag: Dag, state: str, query: str
) -> None:
    small = fill(dag, "small", state=state)
    fill(dag, "good", run_after=NOON)
    few = counted(client, f"/dags/etl/runs/small{query}")
    break_everything(dag)
    for number in range(20):
        fill(dag, f"r{number}", state=["failed", "success"][number % 2], run_after=NOON + timedelta(days=number))
    fill(dag, "large", state=state, tasks=500, indexes=500)
    assert counted(client, f"/dags/etl/runs/large{query}") == few <= MOST
    ask = make_ti(small, "t9", state="success")
    HITLDetail.objects.create(ti_id=ask.pk, dag_run=small, task_id="t9", subject="?", options=["a"], created_at=NOON)
    assert counted(client, f"/dags/etl/runs/small{query}") == few


def test_c07a_the_page_of_a_run_whose_failures_have_logs_and_code_takes_no_query_more(client: Client, dag: Dag) -> None:
    code = DagCode.objects.create(pk="1" * 32, source_code="import x\n\ndef load():\n    raise ValueError\n")
    DagVersion.objects.update(code=code)
    run = fill(dag, "r", state="failed")
    without = counted(client, "/dags/etl/runs/r")
    frames = [{"filename": "/dags/etl.py", "lineno": 4, "name": "load"}]
    error = {"exc_type": "ValueError", "exc_value": "a", "frames": frames}
    write_log(run.task_instances.get(task_id="t0"), [said("failed", level="error", error_detail=[error])])
    assert counted(client, "/dags/etl/runs/r") == without <= MOST
    assert "raise ValueError" in client.get("/dags/etl/runs/r").content.decode()


def test_c07a_rules_cost_the_page_of_a_run_three_queries(dag: Dag) -> None:
    fill(dag, "r", state="failed")
    client = client_of("User", name="ann")
    without = counted(client, "/dags/etl/runs/r")
    DagRule.objects.create(user=User.objects.get(username="ann"), dag_id="e*", role=Role.USER)
    assert counted(client, "/dags/etl/runs/r") == without + OF_RULES <= MOST + OF_RULES


def beside(dag_id: str) -> DagSpec:
    """A mapped task with a task before it and one after it, and links into other systems."""
    links = {"extra_link_keys": {"Job": "_link"}}
    return DagSpec(
        dag_id=dag_id,
        tasks=[
            TaskSpec(task_id="a", downstream_task_ids=["many"]),
            TaskSpec(task_id="many", is_mapped=True, upstream_task_ids=["a"], downstream_task_ids=["z"], **links),
            TaskSpec(task_id="z", upstream_task_ids=["many"], **links),
        ],
    )


@pytest.mark.parametrize("place", ["a", "z", "many/mapped/1"])
@pytest.mark.parametrize("state", ["success", "failed", "upstream_failed", "running"])
def test_c07a_the_page_of_a_task_instance_takes_8_queries_at_most_for_many_indexes_and_a_long_past(
    client: Client, state: str, place: str
) -> None:
    wide = make_dag("wide", beside("wide"))
    run = make_run(wide, "r")
    failed = {"cause": "user_exception", "cause_detail": "KeyError: x"} if state == "failed" else {}
    for task_id, map_index in (("a", -1), ("z", -1), ("many", 0), ("many", 1), ("many", 2)):
        make_ti(run, task_id, map_index=map_index, state=state, start_date=NOON, **failed)
    path = f"/dags/wide/runs/r/tasks/{place}"
    few = counted(client, path)
    for index in range(3, 50):
        make_ti(run, "many", map_index=index, state="failed", end_date=NOON)
    for number in range(40):
        fill(wide, f"r{number}", indexes=3, run_after=NOON - timedelta(days=number))
    ask = TaskInstance.objects.filter(dag_run=run).first()
    HITLDetail.objects.create(ti_id=ask.pk, dag_run=run, task_id=ask.task_id, subject="?", options=["a"], created_at=NOON)
    assert counted(client, path) == few <= MOST


def test_c07a_the_page_of_a_failed_task_with_a_log_and_its_code_takes_8_queries_at_most(client: Client) -> None:
    code = DagCode.objects.create(pk="1" * 32, source_code="import x\n\ndef load():\n    raise ValueError\n")
    made = make_dag("wide", beside("wide"))
    DagVersion.objects.update(code=code)
    run = make_run(made, "r")
    make_ti(run, "z", state="success")
    ti = make_ti(run, "many", map_index=3, state="failed", cause="user_exception", start_date=NOON, end_date=NOON)
    frames = [{"filename": "/dags/wide.py", "lineno": 4, "name": "load"}]
    write_log(ti, [said("failed", level="error", error_detail=[{"exc_type": "ValueError", "frames": frames}])])
    assert counted(client, "/dags/wide/runs/r/tasks/many/mapped/3") <= MOST
    assert "raise ValueError" in client.get("/dags/wide/runs/r/tasks/many/mapped/3").content.decode()
