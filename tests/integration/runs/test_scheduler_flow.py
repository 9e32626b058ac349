"""Branches, mapped tasks, the past, new versions and schedules, through the scheduler's real duties."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from dags_app.models import DagVersion
from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.ids import new_id
from orchestrator.sdk.serialization.spec import DagSpec, to_json
from runs import transitions
from runs.models import DagRun, TaskInstance, XCom
from runs.services import run_trigger, task_instances_clear
from tests.factories import NOON, make_dag
from tests.integration.runs.harness import Rounds, spec_of_edges, states, trigger
from tests.specs import dag as dag_of
from tests.specs import mapped

pytestmark = pytest.mark.django_db(transaction=True)


# ---------------------------------------------------------------------------------------------------------- branches


def choose(run: DagRun, choice: dict[str, Any], skipped: list[str]) -> None:
    """What a branch task's worker does before it reports success."""
    XCom.objects.update_or_create(
        dag_run=run,
        task_id="branch",
        map_index=-1,
        key="skipmixin_key",
        defaults={"dag_id": run.dag_id, "run_id": run.run_id, "value": json.dumps(choice), "timestamp": utcnow()},
    )
    ids = list(TaskInstance.objects.filter(dag_run=run, task_id__in=skipped).values_list("pk", flat=True))
    with transaction.atomic():
        transitions.mark(ids, "skipped", now=utcnow(), actor="branch", cause="skip")


def clear(run: DagRun, *task_ids: str) -> None:
    ids = list(TaskInstance.objects.filter(dag_run=run, task_id__in=task_ids).values_list("pk", flat=True))
    with transaction.atomic():
        task_instances_clear(run, ids, actor="ann")


@pytest.mark.parametrize("choice", [{"followed": ["left"]}, {"skipped": ["right"]}])
@pytest.mark.parametrize("with_new_scheduler", [False, True])
def test_a_cleared_task_below_a_branch_is_skipped_again(choice: dict[str, Any], with_new_scheduler: bool) -> None:
    run = trigger(dag_of("branch >> left >> join, branch >> right >> join, join >> end", branch={"branches": True}))
    rounds = Rounds()
    rounds.run()
    choose(run, choice, ["right"])
    rounds.work()
    rounds.run()
    assert states(run)["right"] == "skipped"
    if with_new_scheduler:
        rounds.end()
        left = rounds.executor.handed
        rounds = Rounds()
        rounds.executor.handed = left
    clear(run, "right")
    rounds.run()
    assert states(run)["right"] == "skipped"


def test_a_branch_that_chooses_otherwise_the_second_time_lets_the_other_task_run() -> None:
    run = trigger(dag_of("branch >> left, branch >> right", branch={"branches": True}))
    rounds = Rounds()
    rounds.run()
    choose(run, {"followed": ["left"]}, ["right"])
    rounds.work()
    rounds.complete()
    clear(run, "branch", "left", "right")
    rounds.run()
    choose(run, {"followed": ["right"]}, ["left"])
    rounds.work()
    assert rounds.complete() == [["right"]]
    assert states(run) == {"branch": "success", "left": "skipped", "right": "success"}


# ------------------------------------------------------------------------------------------------------ mapped tasks


def test_a_mapped_task_with_a_literal_has_its_indexes_from_the_start() -> None:
    run = trigger(dag_of("m >> end", m=mapped(length=3)))
    assert Rounds().complete() == [["m", "m", "m"], ["end"]]
    assert set(states(run)) == {"m[0]", "m[1]", "m[2]", "end"}


def test_a_mapped_task_gets_an_index_per_item_of_a_result() -> None:
    run = trigger(dag_of("a >> m >> end", m=mapped(over="a")))
    rounds = Rounds()
    rounds.run()
    rounds.push_result(run, "a", 4)
    assert rounds.complete() == [["a"], ["m"] * 4, ["end"]]


def test_indexes_that_come_while_a_run_goes_on_bear_the_id_of_their_task_as_in_airflow() -> None:
    literal, result = mapped(length=2), mapped(over="a")
    run = trigger(
        dag_of("a >> m, a >> n", m=literal | {"task_display_name": "At Once"}, n=result | {"task_display_name": "Later"})
    )
    rounds = Rounds()
    rounds.run()
    rounds.push_result(run, "a", 3)
    rounds.complete()
    names = TaskInstance.objects.filter(dag_run=run).order_by("task_id", "map_index").values_list("task_display_name", flat=True)
    assert list(names) == ["a", "At Once", "At Once", "Later", "n", "n"]


def test_a_mapped_task_over_nothing_is_skipped_and_what_follows_too() -> None:
    run = trigger(dag_of("a >> m >> end", m=mapped(over="a")))
    rounds = Rounds()
    rounds.run()
    rounds.push_result(run, "a", 0)
    rounds.complete()
    run.refresh_from_db()
    assert (run.state, states(run)) == ("success", {"a": "success", "m": "skipped", "end": "skipped"})


def test_an_instance_that_is_marked_while_it_is_expanded_stays_as_it_was_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    from runs.scheduler import expand_task

    run = trigger(dag_of("a >> m >> end", m=mapped(over="a")))
    rounds = Rounds()
    rounds.run()
    rounds.push_result(run, "a", 3)
    rounds.work()
    ti = TaskInstance.objects.get(task_id="m")

    def mark_first(name: str) -> None:
        if name == "expand.before_last_step":
            with transaction.atomic():
                transitions.mark([ti.pk], "success", now=utcnow(), actor="ann")

    monkeypatch.setattr(expand_task, "fault_point", mark_first)
    rounds.run()
    monkeypatch.undo()
    rounds.complete()
    assert states(run) == {"a": "success", "m": "success", "end": "success"}


# ---------------------------------------------------------------------------------------------------------- the past


def two_runs(spec: DagSpec) -> tuple[DagRun, DagRun]:
    dag = make_dag(spec.dag_id, spec)
    with transaction.atomic():
        return run_trigger(dag=dag, logical_date=NOON), run_trigger(dag=dag, logical_date=NOON + timedelta(days=1))


def test_a_run_with_a_failed_past_goes_on_when_the_past_is_mended() -> None:
    first, second = two_runs(dag_of("t", t={"depends_on_past": True}))
    rounds = Rounds()
    rounds.complete("failed")
    assert (states(first), states(second)) == ({"t": "failed"}, {"t": None})
    clear(first, "t")
    rounds.complete()
    assert (states(first), states(second)) == ({"t": "success"}, {"t": "success"})


def test_wait_for_downstream_waits_for_what_follows_in_the_run_before() -> None:
    first, second = two_runs(dag_of("t >> u", t={"depends_on_past": True, "wait_for_downstream": True}))
    rounds = Rounds()
    rounds.run()
    rounds.work()
    rounds.run()
    assert (states(first), states(second)["t"]) == ({"t": "success", "u": "queued"}, None)
    rounds.work()
    rounds.run()
    assert states(second)["t"] == "queued"


# ------------------------------------------------------------------------------------------------------ new versions


def save(run: DagRun, spec: DagSpec) -> None:
    """Store a new version of the run's DAG."""
    dag = run.dag
    dag.latest_version = DagVersion.objects.create(
        dag=dag,
        version_number=DagVersion.objects.filter(dag=dag).count() + 1,
        structure_hash=str(new_id()),
        attributes_hash="b",
        document=json.dumps(to_json(spec)),
    )
    dag.save()


def test_a_running_run_takes_over_tasks_that_come_and_go() -> None:
    run = trigger(dag_of("a >> b >> c"))
    rounds = Rounds()
    rounds.run()
    save(run, dag_of("a >> b >> new"))
    rounds.run()
    rounds.complete()
    run.refresh_from_db()
    assert states(run) == {"a": "success", "b": "success", "c": "removed", "new": "success"}
    assert run.state == "success"


def test_a_waiting_task_whose_pool_changes_waits_in_the_new_one() -> None:
    from runs.models import Pool

    Pool.objects.create(pool="full", slots=0)
    run = trigger(dag_of("a", a={"pool": "full"}))
    rounds = Rounds()
    rounds.run()
    assert states(run) == {"a": "scheduled"}
    save(run, dag_of("a"))
    rounds.run()
    rounds.run()
    assert states(run) == {"a": "queued"}
    assert TaskInstance.objects.get().pool == "default_pool"


def test_a_waiting_task_that_leaves_its_dag_is_removed_and_comes_back_with_it() -> None:
    from runs.models import Pool

    Pool.objects.create(pool="full", slots=0)
    run = trigger(dag_of("a, b", a={"pool": "full"}))
    rounds = Rounds()
    rounds.run()
    save(run, dag_of("b"))
    rounds.run()
    rounds.run()
    assert states(run)["a"] == "removed"
    save(run, dag_of("a, b"))
    rounds.run()
    rounds.run()
    assert states(run)["a"] == "queued"


# ----------------------------------------------------------------------------------------------------------- schedules


def scheduled(timetable: dict[str, Any], **fields: Any) -> None:
    spec = spec_of_edges("s", {"t": []}, timetable=timetable, **fields)
    first = NOON
    make_dag(
        "s",
        spec,
        max_active_runs=fields.get("max_active_runs", 16),
        next_dagrun_create_after=first,
        next_dagrun_logical_date=first,
        next_dagrun_data_interval_start=first,
        next_dagrun_data_interval_end=first + (timedelta(minutes=1) if "Continuous" in timetable["type"] else timedelta(0)),
    )


def test_a_backlog_is_created_up_to_the_cap_and_goes_on_as_runs_end() -> None:
    scheduled(
        {"type": "DeltaTriggerTimetable", "delta": 3600.0, "interval": 0.0},
        catchup=True,
        start_date=NOON.isoformat(),
        max_active_runs=3,
    )
    rounds = Rounds()
    rounds.run()
    assert DagRun.objects.exclude(state="success").count() == 3
    for _ in range(4):
        rounds.work()
        rounds.run()
        rounds.run()
    assert DagRun.objects.filter(state="success").count() == 12
    assert DagRun.objects.exclude(state="success").count() == 3


def test_a_dag_that_runs_once_runs_once() -> None:
    scheduled({"type": "OnceTimetable"}, start_date=NOON.isoformat())
    Rounds().complete()
    assert list(DagRun.objects.values_list("state", flat=True)) == ["success"]


def test_a_continuous_dag_has_one_run_after_another() -> None:
    scheduled({"type": "ContinuousTimetable"}, start_date=NOON.isoformat(), max_active_runs=1)
    rounds = Rounds()
    for _ in range(3):
        rounds.run()
        rounds.run()  # a run that ended makes room for the next look
        assert DagRun.objects.exclude(state="success").count() == 1
        rounds.work()
    assert DagRun.objects.count() == 3
