"""Marking runs and task instances, held against what Airflow 3.3.2 does; and the parts that only we have."""

from __future__ import annotations

import pytest
from django.db import transaction

from orchestrator.sdk.serialization.spec import DagSpec
from runs.clear_scope import Chosen
from runs.models import DagRun, TaskInstance
from runs.services import run_set_state
from runs.services_mark import MarkRequest, instances_mark, instances_to_mark
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.specs import dag

pytestmark = pytest.mark.django_db

# s is a setup, t its teardown, a and b are between them, c is below a. Who is marked as what, states before, state of the
# run before and after, states after; recorded from Airflow.
FACTS = [
    ("run failed", "s=success a=running", "running", "running", "s=success a=failed b=skipped c=skipped t=None"),
    (
        "run failed",
        "s=success a=success b=success c=running t=success",
        "running",
        "failed",
        "s=success a=success b=success c=failed t=success",
    ),
    (
        "run failed",
        "s=success a=success b=up_for_retry c=deferred t=failed",
        "running",
        "failed",
        "s=success a=success b=skipped c=failed t=failed",
    ),
    (
        "run failed",
        "s=success a=success b=queued c=up_for_reschedule t=running",
        "running",
        "running",
        "s=success a=success b=skipped c=failed t=running",
    ),
    (
        "run failed",
        "s=success a=failed b=upstream_failed c=upstream_failed t=success",
        "failed",
        "failed",
        "s=success a=failed b=upstream_failed c=upstream_failed t=success",
    ),
    ("run success", "s=success a=running", "running", "running", "s=success a=success b=skipped c=skipped t=None"),
    (
        "run success",
        "s=success a=success b=success c=running t=success",
        "running",
        "success",
        "s=success a=success b=success c=success t=success",
    ),
    (
        "run success",
        "s=success a=success b=up_for_retry c=deferred t=failed",
        "running",
        "success",
        "s=success a=success b=skipped c=success t=failed",
    ),
    (
        "run success",
        "s=success a=success b=queued c=up_for_reschedule t=running",
        "running",
        "running",
        "s=success a=success b=skipped c=success t=running",
    ),
    (
        "run success",
        "s=success a=failed b=upstream_failed c=upstream_failed t=success",
        "failed",
        "success",
        "s=success a=failed b=upstream_failed c=upstream_failed t=success",
    ),
    (
        "a success",
        "s=success a=failed b=upstream_failed c=upstream_failed t=success",
        "failed",
        "queued",
        "s=success a=success b=None c=None t=success",
    ),
    (
        "a skipped",
        "s=success a=failed b=upstream_failed c=upstream_failed t=failed",
        "failed",
        "queued",
        "s=success a=skipped b=None c=None t=None",
    ),
    (
        "a failed",
        "s=success a=success b=success c=success t=success",
        "success",
        "success",
        "s=success a=failed b=success c=success t=success",
    ),
    (
        "a failed down",
        "s=success a=success b=success c=success t=success",
        "success",
        "queued",
        "s=success a=failed b=None c=None t=success",
    ),
    (
        "b success up",
        "s=failed a=upstream_failed b=upstream_failed c=upstream_failed t=upstream_failed",
        "failed",
        "queued",
        "s=success a=success b=success c=upstream_failed t=None",
    ),
    (
        "a success down",
        "s=success a=failed b=upstream_failed c=upstream_failed t=failed",
        "failed",
        "queued",
        "s=success a=success b=success c=success t=None",
    ),
    (
        "s success",
        "s=failed a=upstream_failed b=upstream_failed c=upstream_failed t=upstream_failed",
        "failed",
        "queued",
        "s=success a=None b=None c=None t=None",
    ),
    (
        "c success",
        "s=success a=success b=success c=failed t=success",
        "failed",
        "failed",
        "s=success a=success b=success c=success t=success",
    ),
]


def setup_teardown() -> DagSpec:
    return dag("s >> a >> b >> t, s >> t, a >> c", s={"is_setup": True}, t={"is_teardown": True})


def run_in(states: str, run_state: str) -> DagRun:
    run = make_run(make_dag("d", setup_teardown()), state=run_state)
    given = dict(part.split("=") for part in states.split())
    for task_id in "sabct":
        make_ti(run, task_id, state=given.get(task_id), try_number=int(task_id in given))
    return run


@pytest.mark.parametrize(("what", "before", "run_before", "run_after", "after"), FACTS, ids=[f"{r[0]}: {r[1]}" for r in FACTS])
def test_marking_ends_as_in_airflow(what: str, before: str, run_before: str, run_after: str, after: str) -> None:
    run = run_in(before, run_before)
    target, state, *reach = what.split()
    with transaction.atomic():
        if target == "run":
            run_set_state(run, state, actor="ann")
        else:
            request = MarkRequest(run, Chosen({target}), state, upstream="up" in reach, downstream="down" in reach)
            instances_mark(setup_teardown(), request, actor="ann")
    run.refresh_from_db()
    assert run.state == run_after
    found = dict(TaskInstance.objects.filter(dag_run=run).values_list("task_id", "state"))
    assert " ".join(f"{task_id}={found[task_id]}" for task_id in "sabct") == after


def test_c21b_a_run_that_was_stopped_stays_so_until_somebody_acts() -> None:
    from tests.integration.runs.harness import Rounds, spec_of_edges, trigger

    run = trigger(spec_of_edges("stop", {"a": [], "b": ["a"]}))
    rounds = Rounds()
    rounds.run()
    rounds.begin(rounds.executor.handed)
    with transaction.atomic():
        run_set_state(run, "failed", actor="ann")
    rounds.executor.handed.clear()
    rounds.complete()
    run.refresh_from_db()
    assert run.state == "failed"
    assert dict(TaskInstance.objects.values_list("task_id", "state")) == {"a": "failed", "b": "skipped"}
    with transaction.atomic():
        run_set_state(run, "queued", actor="ann")
    rounds.complete()
    run.refresh_from_db()
    assert run.state == "success"  # nothing was cleared: its leaves are judged anew, as in Airflow


def test_a_marked_task_has_a_start_an_end_and_a_duration() -> None:
    run = run_in("s=success a=failed", "running")
    TaskInstance.objects.filter(task_id="a").update(start_date=NOON, end_date=NOON.replace(minute=1))
    with transaction.atomic():
        instances_mark(setup_teardown(), MarkRequest(run, Chosen({"a"}), "success"), actor="ann")
        instances_mark(setup_teardown(), MarkRequest(run, Chosen({"c"}), "skipped"), actor="ann")
    a, c = TaskInstance.objects.get(task_id="a"), TaskInstance.objects.get(task_id="c")
    assert (a.start_date, a.end_date, a.duration, a.cause) == (NOON, NOON.replace(minute=1), 60.0, "marked")
    assert c.start_date == c.end_date
    assert (c.duration, c.try_number) == (0.0, 0)


@pytest.mark.parametrize(("reach", "days"), [({}, [2]), ({"future": True}, [2, 3]), ({"past": True}, [1, 2])])
def test_past_and_future_are_runs_by_logical_date(reach: dict[str, bool], days: list[int]) -> None:
    made = make_dag("d", dag("a"))
    runs = {day: make_run(made, f"r{day}", logical_date=NOON.replace(day=day)) for day in (1, 2, 3)}
    make_ti(make_run(made, "without"), "a", state="failed")
    for run in runs.values():
        make_ti(run, "a", state="failed")
    rows = instances_to_mark(dag("a"), MarkRequest(runs[2], Chosen({"a"}), "success", **reach))
    assert [row.dag_run.logical_date.day for row in rows if row.dag_run.logical_date] == days


def test_only_one_index_of_a_mapped_task_is_marked() -> None:
    run = make_run(make_dag("d", dag("a", a={"is_mapped": True})))
    for index in range(3):
        make_ti(run, "a", map_index=index, state="failed")
    with transaction.atomic():
        rows = instances_mark(dag("a"), MarkRequest(run, Chosen(indexes={("a", 1)}), "success"), actor="ann")
    assert [row.map_index for row in rows] == [1]
    assert list(TaskInstance.objects.order_by("map_index").values_list("state", flat=True)) == ["failed", "success", "failed"]
