"""C26-c: for each reason why a run waits, or a DAG gets none, a scenario made by the real duties and the right blocker."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from dags_app.models import Dag, DagVersion
from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.processes.services import process_end
from orchestrator.sdk.definitions.asset import Asset
from orchestrator.sdk.definitions.asset_timetables import PartitionedAssetTimetable
from orchestrator.sdk.definitions.partition_mappers import DayWindow, RollupMapper, StartOfDayMapper
from orchestrator.sdk.definitions.timetables import CronTriggerTimetable, encode_timetable
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs.backfills.plan import Order
from runs.backfills.services import backfill_create, backfill_pause
from runs.explain.answer import Explanation
from runs.explain.dag import explain_dag
from runs.explain.reasons import Reason
from runs.explain.run import explain_run
from runs.models import DagRun
from runs.scheduler.name_run_waits import NameRunWaits
from runs.services_hold import hold_place
from tests.assets import happen, stored
from tests.factories import make_dag, make_run
from tests.integration.runs.harness import Rounds, spec_of_edges, trigger
from tests.specs import dag

pytestmark = pytest.mark.django_db

DAILY = encode_timetable(CronTriggerTimetable("@daily", "UTC"))


def of_run(run: DagRun) -> Explanation:
    run.refresh_from_db()
    return explain_run(run)[0]


def of_dag(dag_id: str = "d") -> Explanation:
    return explain_dag(Dag.objects.get(pk=dag_id))[0]


def named(found: Explanation, kind: str) -> list[str]:
    return [blocker.name for blocker in found.blockers if blocker.kind == kind]


def queued(owner: Dag, run_id: str = "next", **fields: object) -> DagRun:
    return make_run(owner, run_id, **{"state": "queued", "run_after": utcnow(), "start_date": None, **fields})


def test_c26c_a_run_that_is_due_later_says_when() -> None:
    due = utcnow() + timedelta(hours=1)
    run = queued(make_dag(), run_after=due)
    Rounds().run()
    assert (of_run(run).reason, of_run(run).eta) == (Reason.RUN_AFTER, due)


def test_c26c_a_full_dag_names_its_active_runs() -> None:
    first = trigger(spec_of_edges("d", {"a": []}), max_active_runs=1)
    Rounds().run()
    run = queued(first.dag)
    Rounds().run()
    found = of_run(run)
    assert (found.reason, named(found, "dag_run")) == (Reason.RUN_LIMIT, [f"d {first.run_id}"])


def test_c26c_a_paused_dag_holds_its_queued_run_back() -> None:
    run = trigger(spec_of_edges("d", {"a": []}), is_paused=True)
    Rounds().run()
    assert (of_run(run).reason, named(of_run(run), "dag")) == (Reason.DAG_PAUSED, ["d"])


def test_c26c_a_held_run_names_the_person() -> None:
    run = trigger(spec_of_edges("d", {"a": []}))
    with transaction.atomic():
        hold_place(run, by="ann", now=utcnow())
    Rounds().run()
    assert (of_run(run).reason, named(of_run(run), "hold")) == (Reason.HELD, ["hold by ann"])


def test_c26c_a_schedule_that_must_not_overlap_names_the_run_before() -> None:
    owner = make_dag(overlap_policy="queue_all")
    before = queued(owner, "before", run_type="scheduled", run_after=utcnow() - timedelta(hours=1))
    run = queued(owner, run_type="scheduled")
    Rounds().run()
    found = of_run(run)
    assert (found.reason, named(found, "dag_run")) == (Reason.OVERLAP, [f"d {before.run_id}"])


def backfill_of(owner: Dag) -> list[DagRun]:
    order = Order(from_date=datetime(2026, 1, 1, tzinfo=UTC), to_date=datetime(2026, 1, 3, tzinfo=UTC), max_active_runs=1)
    with transaction.atomic():
        backfill = backfill_create(owner, order, user_name="ann")
    return list(DagRun.objects.filter(backfill=backfill).order_by("logical_date"))


def test_c26c_a_run_of_a_backfill_names_the_backfill_that_is_full_or_paused() -> None:
    runs = backfill_of(make_dag("d", DagSpec(dag_id="d", tasks=[TaskSpec("t")], timetable=DAILY)))
    Rounds().run()
    found = of_run(runs[1])
    backfill = runs[0].backfill
    assert backfill is not None
    assert (found.reason, named(found, "dag_run")) == (Reason.BACKFILL_LIMIT, [f"d {runs[0].run_id}"])
    with transaction.atomic():
        backfill_pause(backfill, True, actor="ann")
    found = of_run(DagRun.objects.get(pk=runs[1].pk))
    assert (found.reason, named(found, "backfill")) == (Reason.BACKFILL_PAUSED, [f"backfill {backfill.pk}"])


def test_c26c_a_run_that_the_scheduler_cannot_read_names_the_error_and_the_next_look() -> None:
    run = trigger(spec_of_edges("d", {"a": []}))
    DagVersion.objects.update(document="{", structure_hash="another")
    rounds = Rounds()
    rounds.run()
    found = of_run(run)
    assert found.reason is Reason.SET_ASIDE
    assert "SpecUnreadableError" in found.sentence and found.eta is not None


def test_c26c_without_a_scheduler_a_queued_run_says_so() -> None:
    run = trigger(spec_of_edges("d", {"a": []}))
    assert (of_run(run).reason, named(of_run(run), "process")) == (Reason.SCHEDULER_DOWN, ["scheduler"])


def test_c26c_a_run_that_may_begin_says_that_it_does() -> None:
    rounds = Rounds()
    run = trigger(spec_of_edges("d", {"a": []}))
    assert of_run(run).reason is Reason.ABOUT_TO_START
    rounds.run()
    rounds.work()
    DagRun.objects.update(state="running")
    assert of_run(run).reason is Reason.ABOUT_TO_END


def test_c26c_a_running_run_names_what_runs_then_what_waits_furthest_on() -> None:
    run = trigger(dag("a >> b"))
    rounds = Rounds()
    rounds.run()
    found = of_run(run)
    assert (found.reason, named(found, "task_instance")) == (Reason.EXECUTOR, [f"d.a {run.run_id}"])
    rounds.begin(rounds.executor.handed)
    found = of_run(run)
    assert (found.reason, named(found, "task_instance")) == (Reason.TASKS_RUNNING, [f"d.a {run.run_id}"])


def test_c26c_a_finished_run_waits_for_nothing() -> None:
    assert of_run(make_run(make_dag(), state="failed")).reason is Reason.FINISHED


def test_c26c_a_run_of_a_deleted_dag_says_so() -> None:
    run = queued(make_dag())
    Rounds().run()
    DagRun.objects.update(state="queued")
    DagVersion.objects.all().delete()
    Dag.objects.all().delete()
    reasons = [item.reason for item in explain_run(DagRun.objects.get(pk=run.pk))]
    assert Reason.DAG_GONE in reasons[:2]


# ------------------------------------------------------------------------------------------------------- DAGs


def test_c26c_a_dag_without_a_schedule_a_version_or_its_switch_says_so() -> None:
    rounds = Rounds()
    owner = make_dag()
    rounds.run()
    assert of_dag().reason is Reason.NOT_SCHEDULED
    Dag.objects.update(is_paused=True)
    assert of_dag().reason is Reason.DAG_PAUSED
    Dag.objects.filter(pk=owner.pk).update(is_paused=False, latest_version=None)
    assert of_dag().reason is Reason.NO_VERSION
    process_end(rounds.holdings.scheduler_id)
    Dag.objects.filter(pk=owner.pk).update(latest_version=owner.latest_version)
    assert of_dag().reason is Reason.SCHEDULER_DOWN


def due_dag(**fields: object) -> Dag:
    spec = DagSpec(dag_id="d", tasks=[TaskSpec("t")], timetable=DAILY)
    due = utcnow() - timedelta(minutes=1)
    return make_dag("d", spec, **{"next_dagrun_create_after": due, "next_dagrun_logical_date": due, **fields})


def test_c26c_the_next_run_is_named_and_one_that_is_due_is_about_to_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    Rounds()
    owner = due_dag()
    assert of_dag().reason is Reason.ABOUT_TO_CREATE
    monkeypatch.setenv("AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE", "False")
    conf.reload()
    try:
        assert of_dag().reason is Reason.SCHEDULE_OFF
    finally:
        monkeypatch.undo()
        conf.reload()
    later = utcnow() + timedelta(hours=2)
    Dag.objects.filter(pk=owner.pk).update(next_dagrun_create_after=later)
    assert (of_dag().reason, of_dag().eta) == (Reason.NEXT_RUN, later)


def test_c26c_a_dag_that_is_full_or_whose_schedule_must_not_overlap_names_the_run() -> None:
    owner = due_dag(max_active_runs=1)
    first = make_run(owner, "first", run_type="scheduled")
    Rounds().run()
    found = of_dag()
    assert (found.reason, named(found, "dag_run")) == (Reason.RUN_LIMIT, [f"d {first.run_id}"])
    Dag.objects.update(overlap_policy="skip", max_active_runs=16, next_dagrun_create_after=utcnow())
    found = of_dag()
    assert (found.reason, named(found, "dag_run")) == (Reason.OVERLAP, [f"d {first.run_id}"])


def test_c26c_a_dag_that_waits_for_assets_names_those_without_an_event() -> None:
    stored("d", [Asset("a"), Asset("b")])
    rounds = Rounds()
    happen("a")
    rounds.run()
    found = of_dag()
    assert (found.reason, named(found, "asset")) == (Reason.ASSETS_MISSING, ["b"])
    assert "1 of 2" in found.sentence and found.blockers[0].link is not None
    happen("b")
    assert of_dag().reason is Reason.ABOUT_TO_CREATE


def test_c26c_a_dag_with_an_empty_list_of_assets_says_that_it_gets_no_run() -> None:
    stored("d", [])
    Rounds().run()
    assert of_dag().reason is Reason.NOT_SCHEDULED and "without any" in of_dag().sentence


def test_c26c_a_dag_that_gathers_events_says_until_when_and_what_it_missed() -> None:
    stored("d", [Asset("a")], event_policy="window", event_window=600.0)
    happen("a", "us")
    happen("a")
    Rounds().run()
    found, missed = explain_dag(Dag.objects.get(pk="d"))
    assert found.reason is Reason.EVENT_WINDOW and found.since is not None
    assert found.eta == found.since + timedelta(minutes=10)
    assert "event_window = 600 s); 1 of a waiting" in found.sentence
    assert missed.reason is Reason.EVENTS_STARTED_NOTHING and missed.sentence.startswith("1 earlier events")


def test_c26c_an_asset_dag_at_its_limit_names_the_run() -> None:
    owner = stored("d", [Asset("a")], max_active_runs=1)
    first = make_run(owner, "first")
    Rounds().run()
    happen("a")
    assert (of_dag().reason, named(of_dag(), "dag_run")) == (Reason.RUN_LIMIT, [f"d {first.run_id}"])


def test_c26c_a_partition_names_the_keys_that_are_missing() -> None:
    mapper = RollupMapper(upstream_mapper=StartOfDayMapper(), window=DayWindow())
    stored("d", PartitionedAssetTimetable(Asset("a"), {}, mapper))
    rounds = Rounds()
    assert of_dag().reason is Reason.PARTITION_KEYS
    for hour in range(23):
        happen("a", f"2026-03-11T{hour:02d}:00:00")
    rounds.run()
    found = of_dag()
    assert (found.reason, named(found, "partition")) == (Reason.PARTITION_KEYS, ["a 2026-03-11T23:00:00"])


# ------------------------------------------------------------------------------------------------------- stored words


def stored_words() -> dict[str, str | None]:
    return dict(DagRun.objects.filter(state="queued").values_list("run_id", "wait_reason"))


def test_c26a_every_queued_run_stores_why_it_has_not_begun() -> None:
    full, now = make_dag("full", max_active_runs=1), utcnow()
    make_run(full, "first")
    queued(full, "waits")
    queued(make_dag("paused", is_paused=True), "paused")
    queued(make_dag("later"), "later", run_after=now + timedelta(hours=1))
    with transaction.atomic():
        hold_place(queued(make_dag("held"), "held"), by="ann", now=now)
    one_at_a_time = make_dag("one", overlap_policy="queue_all")
    make_run(one_at_a_time, "before", run_type="scheduled")
    queued(one_at_a_time, "next", run_type="scheduled")
    Rounds().run()
    words = {"waits": "max_active_runs", "paused": "dag_paused", "later": "run_after", "held": "held", "next": "overlap_policy"}
    assert stored_words() == words


def test_c26a_the_runs_of_a_backfill_store_whether_it_is_full_or_paused() -> None:
    first, *others = backfill_of(make_dag("d", DagSpec(dag_id="d", tasks=[TaskSpec("t")], timetable=DAILY)))
    rounds = Rounds()
    rounds.run()
    assert set(stored_words().values()) == {"backfill_limit"}
    assert first.backfill is not None
    with transaction.atomic():
        backfill_pause(first.backfill, True, actor="ann")
    rounds.run()
    assert stored_words() == {run.run_id: "backfill_paused" for run in others}


def test_c26a_the_word_goes_when_the_run_begins_and_none_costs_one_query(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    run = trigger(spec_of_edges("d", {"a": []}), is_paused=True)
    rounds = Rounds()
    rounds.run()
    assert stored_words() == {run.run_id: "dag_paused"}
    Dag.objects.update(is_paused=False)
    rounds.run()
    run.refresh_from_db()
    assert (run.state, run.wait_reason) == ("running", None)
    with django_assert_num_queries(1):
        NameRunWaits().run_once(10)
