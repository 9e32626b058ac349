"""Which runs events make, what each takes, and what happens while a consumer is paused, full or changed (C23)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction

from dags_app.models import Dag
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.definitions.asset import Asset as A
from orchestrator.sdk.definitions.asset import AssetAlias as Alias
from orchestrator.sdk.definitions.asset_timetables import AssetOrTimeSchedule
from orchestrator.sdk.definitions.timetables import CronTriggerTimetable
from runs import transitions
from runs.assets.consumed import consumed_by, runs_created_by
from runs.assets.deliveries import UNSCHEDULED
from runs.models import AssetDelivery, AssetEvent, DagRun
from runs.reports import Report
from runs.resumptions import EndByTrigger
from tests.assets import changed, happen, stored
from tests.factories import make_run, make_ti
from tests.integration.runs.harness import Rounds

pytestmark = pytest.mark.django_db


def triggered(dag_id: str) -> list[DagRun]:
    return list(DagRun.objects.filter(dag_id=dag_id, run_type="asset_triggered").order_by("pk"))


def taken(run: DagRun) -> list[tuple[str, Any]]:
    return [(event.asset.name, event.extra.get("n")) for event in consumed_by([run.pk]).get(run.pk, [])]


def test_an_event_makes_one_run_that_took_it_without_dates():
    stored("d", A("a"))
    event = happen("a", n=1)
    rounds = Rounds()
    rounds.run()
    (run,) = triggered("d")
    assert (run.logical_date, run.data_interval_start, run.triggered_by, run.conf) == (None, None, "asset", {})
    assert run.run_after == event.timestamp
    assert run.run_id.startswith(f"asset_triggered__{event.timestamp.isoformat()}_")
    assert taken(run) == [("a", 1)]
    assert runs_created_by([event.pk]) == {event.pk: [run]}
    rounds.run()
    assert len(triggered("d")) == 1


def test_a_consumer_of_several_assets_gets_every_event_that_came_meanwhile():
    stored("d", A("a") & A("b"))
    rounds = Rounds()
    for number in (1, 2):
        happen("a", n=number)
    rounds.run()
    assert not triggered("d")
    happen("b", n=3)
    rounds.run()
    assert [taken(run) for run in triggered("d")] == [[("a", 1), ("a", 2), ("b", 3)]]


def test_references_by_name_and_by_uri_and_aliases_are_delivered():
    stored("writer", outlets=[A("x", uri="s3://x/k")])
    stored("by_name", A.ref(name="x"))
    stored("by_uri", A.ref(uri="s3://x/k"))
    stored("by_alias", Alias("al"))
    happen("x", n=1)
    Rounds().run()
    assert [len(triggered(name)) for name in ("by_name", "by_uri", "by_alias")] == [1, 1, 0]
    happen("x", n=2, aliases=["al"])
    Rounds().run()
    assert [taken(run) for run in triggered("by_alias")] == [[("x", 2)]]


def test_a_paused_consumer_starts_nothing_but_its_next_run_takes_what_it_missed():
    dag = stored("d", A("a"), is_paused=True)
    happen("a", n=1)
    Dag.objects.filter(pk=dag.pk).update(is_paused=False)
    rounds = Rounds()
    rounds.run()
    assert not triggered("d")
    happen("a", n=2)
    rounds.run()
    assert [taken(run) for run in triggered("d")] == [[("a", 1), ("a", 2)]]


def test_an_event_of_one_partition_starts_no_plain_consumer_but_its_next_run_takes_it():
    stored("d", A("a"))
    happen("a", "us", n=1)
    rounds = Rounds()
    rounds.run()
    assert not triggered("d")
    happen("a", n=2)
    rounds.run()
    assert [taken(run) for run in triggered("d")] == [[("a", 1), ("a", 2)]]


def test_what_waits_when_a_consumer_is_paused_makes_its_run_when_it_is_switched_on():
    dag = stored("d", A("a"))
    happen("a", n=1)
    Dag.objects.filter(pk=dag.pk).update(is_paused=True)
    rounds = Rounds()
    rounds.run()
    assert not triggered("d")
    Dag.objects.filter(pk=dag.pk).update(is_paused=False)
    rounds.run()
    assert len(triggered("d")) == 1


def test_events_gather_while_the_consumer_has_as_many_runs_as_it_may():
    stored("d", A("a"), max_active_runs=1)
    rounds = Rounds()
    happen("a", n=1)
    rounds.run()
    for number in (2, 3):
        happen("a", n=number)
    rounds.run()
    assert len(triggered("d")) == 1
    rounds.complete()
    rounds.run()
    assert [taken(run) for run in triggered("d")] == [[("a", 1)], [("a", 2), ("a", 3)]]


def test_an_event_of_an_asset_that_left_the_schedule_is_dropped_with_the_reason():
    dag = stored("d", A("a") & A("b"))
    happen("a")
    changed(dag, A("b") & A("c"))
    rounds = Rounds()
    rounds.run()
    assert AssetDelivery.objects.get().dropped_reason == UNSCHEDULED
    happen("b")
    happen("c")
    rounds.run()
    assert [taken(run) for run in triggered("d")] == [[("b", None), ("c", None)]]


@pytest.mark.parametrize(("catchup", "expected"), [(True, [("a", 1), ("a", 2)]), (False, [("a", 2)])])
def test_only_with_catchup_the_first_run_takes_events_from_before_the_consumer(catchup: bool, expected: list[Any]):
    stored("writer", outlets=[A("a")])
    happen("a", n=1)
    stored("d", A("a"), catchup=catchup)
    happen("a", n=2)
    Rounds().run()
    assert [taken(run) for run in triggered("d")] == [expected]


def test_a_schedule_of_assets_or_time_runs_by_assets_too():
    stored("d", AssetOrTimeSchedule(timetable=CronTriggerTimetable("0 0 1 1 *", "UTC"), assets=A("a") & A("b")))
    happen("a")
    happen("b")
    Rounds().run()
    assert len(triggered("d")) == 1


def test_a_consumer_that_cannot_be_read_holds_up_no_other_one_i4():
    broken = stored("broken", A("a"))
    stored("sound", A("a"))
    broken.latest_version.document = "{"
    broken.latest_version.structure_hash = "other"
    broken.latest_version.save()
    happen("a")
    Rounds().run()
    assert len(triggered("sound")) == 1
    assert "cannot be read" in Dag.objects.get(pk="broken").scheduling_error


# ------------------------------------------------------------------------------------------------ successes


def finish(dag: Dag, state: str = "success", *, run: Any = None, outlets: Any = (), events: Any = (), **run_fields: Any) -> Any:
    run = run or make_run(dag, run_id=f"r{DagRun.objects.count()}", **run_fields)
    ti = make_ti(run, state="running")
    with transaction.atomic():
        report = Report(ti.pk, ti.dispatch_id, state, utcnow(), outlets=outlets, outlet_events=events)
        return transitions.finish([report], now=utcnow())[ti.pk], ti


def profile(name: str, uri: str | None = None, kind: str = "Asset") -> dict[str, Any]:
    return {"name": name, "uri": uri or name, "type": kind}


def test_a_success_writes_an_event_per_outlet_in_the_same_transaction():
    dag = stored("d", outlets=[A("a"), A("b")])
    said = [{"dest_asset_key": {"name": "a", "uri": "a"}, "extra": {"rows": 3}}]
    finish(dag, outlets=[profile("a"), profile("b")], events=said)
    events = AssetEvent.objects.order_by("asset__name").values_list("asset__name", "extra", "source_dag_id", "source_task_id")
    assert list(events) == [("a", {"rows": 3}, "d", "t"), ("b", {}, "d", "t")]


@pytest.mark.parametrize("state", ["failed", "skipped", "up_for_retry"])
def test_what_is_no_success_writes_no_event(state: str):
    dag = stored("d", outlets=[A("a")])
    finish(dag, state, outlets=[profile("a")])
    assert not AssetEvent.objects.exists()


def test_a_success_told_twice_or_by_an_old_hand_over_writes_its_event_once():
    dag = stored("d", outlets=[A("a")])
    _, ti = finish(dag, outlets=[profile("a")])
    for dispatch in (ti.dispatch_id, dag.latest_version_id):
        with transaction.atomic():
            transitions.finish([Report(ti.pk, dispatch, "success", utcnow(), outlets=[profile("a")])], now=utcnow())
    assert AssetEvent.objects.count() == 1


def test_the_events_go_with_the_success_when_the_transaction_fails():
    dag = stored("d", outlets=[A("a")])
    ti = make_ti(make_run(dag), state="running")
    with pytest.raises(RuntimeError), transaction.atomic():
        transitions.finish([Report(ti.pk, ti.dispatch_id, "success", utcnow(), outlets=[profile("a")])], now=utcnow())
        raise RuntimeError
    assert not AssetEvent.objects.exists()


def test_an_alias_binds_a_new_asset_and_tells_both_kinds_of_consumers():
    dag = stored("d", outlets=[Alias("al"), Alias("al2")])
    stored("of_alias", Alias("al"))
    said = [
        {
            "source_alias_name": name,
            "dest_asset_key": {"name": "new", "uri": "s3://new/k"},
            "dest_asset_extra": {"e": 1},
            "extra": {"n": 1},
        }
        for name in ("al", "al2", "not_an_outlet")
    ]
    finish(dag, outlets=[profile("al", kind="AssetAlias"), profile("al2", kind="AssetAlias")], events=said)
    event = AssetEvent.objects.get()
    assert (event.asset.name, event.asset.is_active, event.asset.extra) == ("new", True, {"e": 1})
    assert sorted(event.aliases.values_list("name", flat=True)) == ["al", "al2"]
    Rounds().run()
    assert [taken(run) for run in triggered("of_alias")] == [[("new", 1)]]


def test_an_inactive_outlet_makes_no_event():
    dag = stored("d", outlets=[A("a")])
    finish(dag, outlets=[profile("never declared")])
    assert not AssetEvent.objects.exists()


def test_keys_come_from_the_task_or_from_its_run_and_the_date_only_with_the_runs_own_key():
    dag = stored("d", outlets=[A("a")])
    said = [{"dest_asset_key": {"name": "a", "uri": "a"}, "extra": {}, "partition_key": key} for key in ("us", "eu")]
    finish(dag, outlets=[profile("a")], events=said, partition_key="run")
    finish(dag, outlets=[profile("a")], partition_key="run")
    assert list(AssetEvent.objects.order_by("pk").values_list("partition_key", flat=True)) == ["us", "eu", "run"]


def test_a_task_that_its_trigger_ends_writes_the_outlets_of_its_dag():
    from runs.models import Trigger

    dag = stored("d", outlets=[A("a")])
    waits = Trigger.objects.create(classpath="x", created_date=utcnow())
    ti = make_ti(make_run(dag), state="deferred", trigger_id=waits.pk)
    with transaction.atomic():
        transitions.end_by_trigger([EndByTrigger(ti.pk, waits.pk, "success")], now=utcnow())
    assert AssetEvent.objects.get().asset.name == "a"


def test_tasks_without_outlets_cost_no_query_more(django_assert_max_num_queries: Any, django_assert_num_queries: Any):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    dag = stored("d")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        finish(dag)
    assert not [query for query in queries.captured_queries if "asset" in query["sql"].lower()]


def test_the_moment_of_an_event_is_the_runs_due_time():
    stored("d", A("a"))
    event = happen("a")
    assert event.timestamp > datetime(2026, 1, 1, tzinfo=UTC)
    Rounds().run()
    assert triggered("d")[0].queued_at is not None
