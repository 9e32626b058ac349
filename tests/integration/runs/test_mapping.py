"""Mapped tasks in a scheduler: expansion in bulk, lengths that change at a clear, groups in groups, branches by index."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.serialization.spec import DagSpec, ExpandSpec, TaskGroupSpec, TaskSpec
from runs.models import DagRun, TaskInstance, XCom
from runs.services import run_clear
from tests.integration.runs.harness import Rounds, states, trigger

pytestmark = pytest.mark.django_db(transaction=True)

OVER_SOURCE = {"x": {"xcom": {"type": "plain", "task_id": "source", "key": "return_value"}}}


def over_source(**more: Any) -> DagSpec:
    """source → mapped over its result → last."""
    mapped = TaskSpec(
        task_id="mapped", upstream_task_ids=["source"], is_mapped=True, expand=ExpandSpec("dict", OVER_SOURCE), **more
    )
    mapped.downstream_task_ids = ["last"]
    source, last = TaskSpec(task_id="source", downstream_task_ids=["mapped"]), TaskSpec(task_id="last")
    last.upstream_task_ids = ["mapped"]
    return DagSpec(dag_id="d", tasks=[source, mapped, last])


def expanded(length: int, spec: DagSpec | None = None) -> tuple[Rounds, DagRun]:
    """Return a run whose mapped task has just got its indexes."""
    run, rounds = trigger(spec or over_source()), Rounds()
    rounds.run()
    rounds.work()
    rounds.push_result(run, "source", length)
    rounds.run()
    return rounds, run


def clear_all(run: DagRun) -> None:
    XCom.objects.filter(dag_run=run).delete()
    run.refresh_from_db()
    with transaction.atomic():
        run_clear(run, actor="test")


def indexes(run: DagRun) -> dict[int, str | None]:
    return dict(TaskInstance.objects.filter(dag_run=run, task_id="mapped").values_list("map_index", "state"))


def test_an_expansion_writes_rows_that_differ_in_id_and_index_only() -> None:
    _, run = expanded(5)
    rows = list(TaskInstance.objects.filter(dag_run=run, task_id="mapped").order_by("map_index").values())
    assert [row["map_index"] for row in rows] == [0, 1, 2, 3, 4]
    assert len({row["id"] for row in rows}) == 5
    varying = {"id", "map_index", "dispatch_id", "queued_at", "updated_at", "wait_since", "workload"}
    for row in rows[2:]:
        assert {k: v for k, v in row.items() if k not in varying} == {k: v for k, v in rows[1].items() if k not in varying}


def test_ten_thousand_indexes_cost_few_queries() -> None:
    """C32-c: the length is counted, no value is read, and rows are written by the thousand."""
    run, rounds = trigger(over_source(max_active_tis_per_dagrun=1)), Rounds()
    rounds.run()
    rounds.work()
    rounds.push_result(run, "source", 10_000)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        rounds.run()
    assert TaskInstance.objects.filter(dag_run=run, task_id="mapped").count() == 10_000
    about_mapped = [query["sql"] for query in queries if 'INTO "runs_taskinstance" ' in query["sql"]]
    assert len(about_mapped) <= 8
    assert len(queries) < 1000  # twenty parts of five hundred, each a round
    assert not [query for query in queries if '"runs_xcom"."value"' in query["sql"]]


@pytest.mark.parametrize(("before", "after"), [(3, 2), (2, 4), (3, 3), (4, 1)])
def test_a_result_of_another_length_after_a_clear_changes_the_indexes(before: int, after: int) -> None:
    rounds, run = expanded(before)
    rounds.complete()
    clear_all(run)
    rounds.run()
    rounds.work()
    rounds.push_result(run, "source", after)
    rounds.complete()
    wanted = {index: "success" if index < after else "removed" for index in range(max(before, after))}
    assert indexes(run) == wanted
    run.refresh_from_db()
    assert run.state == "success"
    assert states(run)["last"] == "success"


def test_an_upstream_result_without_length_fails_the_task_for_upstream() -> None:
    run, rounds = trigger(over_source()), Rounds()
    rounds.complete()
    assert indexes(run) == {-1: "upstream_failed"}
    run.refresh_from_db()
    assert run.state == "failed"


def test_a_length_of_zero_skips_the_task_and_what_is_below() -> None:
    rounds, run = expanded(0)
    rounds.complete()
    assert states(run) == {"source": "success", "mapped": "skipped", "last": "skipped"}


def test_groups_in_groups_multiply_their_indexes() -> None:
    literal = {"x": {"literal": [1, 2]}}
    outer = TaskGroupSpec(group_id="o", is_mapped=True, expand=ExpandSpec("dict", literal, 2), children=["o.i"])
    inner = TaskGroupSpec(
        group_id="o.i", parent_id="o", is_mapped=True, expand=ExpandSpec("dict", OVER_SOURCE), children=["o.i.t"]
    )
    source = TaskSpec(task_id="source", downstream_task_ids=["o.i.t"])
    task = TaskSpec(task_id="o.i.t", upstream_task_ids=["source"], task_group_id="o.i", mapped_group_id="o.i")
    rounds, run = expanded(3, DagSpec(dag_id="d", tasks=[source, task], task_groups=[TaskGroupSpec(None), outer, inner]))
    rounds.complete()
    assert TaskInstance.objects.filter(dag_run=run, task_id="o.i.t", state="success").count() == 6


@pytest.mark.parametrize("in_group", [False, True])
def test_what_an_index_chose_counts_for_the_same_index_of_a_mapped_task_only(in_group: bool) -> None:
    """In an index of a mapped group a branch skips nothing, as in Airflow 3.3.2."""
    literal = ExpandSpec("dict", {"x": {"literal": [1, 2]}}, 2)
    kind: dict[str, Any] = {"mapped_group_id": "g", "task_group_id": "g"} if in_group else {"is_mapped": True, "expand": literal}
    branch = TaskSpec(task_id="branch", branches=True, downstream_task_ids=["yes", "plain"], **kind)
    yes = TaskSpec(task_id="yes", upstream_task_ids=["branch"], **kind)
    plain = TaskSpec(task_id="plain", upstream_task_ids=["branch"])
    groups = [TaskGroupSpec(None), TaskGroupSpec(group_id="g", is_mapped=True, expand=literal)] if in_group else []
    run, rounds = trigger(DagSpec(dag_id="d", tasks=[branch, yes, plain], task_groups=groups)), Rounds()
    rounds.run()
    for index, followed in enumerate((["yes"], [])):
        where = {"dag_run": run, "dag_id": "d", "run_id": run.run_id, "task_id": "branch", "key": "skipmixin_key"}
        XCom.objects.create(map_index=index, value=json.dumps({"followed": followed}), timestamp=utcnow(), **where)
    rounds.complete()
    wanted = {"yes[0]": "success", "yes[1]": "success" if in_group else "skipped", "plain": "success"}
    assert {name: state for name, state in states(run).items() if not name.startswith("branch")} == wanted


def test_what_an_index_chose_counts_also_for_indexes_that_are_made_after_the_choice() -> None:
    two = ExpandSpec("dict", {"x": {"literal": [1, 2]}}, 2)
    source = TaskSpec(task_id="source", downstream_task_ids=["mapped"])
    branch = TaskSpec(task_id="branch", branches=True, downstream_task_ids=["mapped"], is_mapped=True, expand=two)
    mapped = TaskSpec(
        task_id="mapped", upstream_task_ids=["source", "branch"], is_mapped=True, expand=ExpandSpec("dict", OVER_SOURCE)
    )
    run, rounds = trigger(DagSpec(dag_id="d", tasks=[source, branch, mapped])), Rounds()
    rounds.run()
    rounds.work()
    for index, followed in enumerate((["other"], ["mapped"])):
        where = {"dag_run": run, "dag_id": "d", "run_id": run.run_id, "task_id": "branch", "key": "skipmixin_key"}
        XCom.objects.create(map_index=index, value=json.dumps({"followed": followed}), timestamp=utcnow(), **where)
    rounds.push_result(run, "source", 2)
    rounds.complete()
    left = TaskInstance.objects.filter(dag_run=run, task_id="mapped").values_list("map_index", "state", "try_number")
    assert set(left) == {(0, "skipped", 0), (1, "success", 1)}
