"""A task with dates of its own is part of the runs between them only, as in Airflow 3.3.2."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction

from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs.models import DagRun
from runs.services import run_trigger
from runs.task_dates import has_instances
from tests.factories import make_dag
from tests.integration.runs.harness import Rounds, states

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE, DATE, AFTER = "2026-03-01T00:00:00Z", datetime(2026, 3, 2, tzinfo=UTC), "2026-03-03T00:00:00Z"


def run_of(*tasks: TaskSpec, **how: Any) -> DagRun:
    dag = make_dag("d", DagSpec(dag_id="d", tasks=list(tasks)))
    with transaction.atomic():
        run = run_trigger(dag=dag, **{"logical_date": DATE, **how})
    Rounds().complete()
    run.refresh_from_db()
    return run


def late(**more: Any) -> TaskSpec:
    return TaskSpec(task_id="late", start_date=AFTER, **more)


def test_a_task_has_instances_in_the_runs_between_its_dates() -> None:
    over, within = TaskSpec(task_id="over", end_date=BEFORE), TaskSpec(task_id="within", start_date=BEFORE, end_date=AFTER)
    run = run_of(late(), over, within, TaskSpec(task_id="plain"))
    assert (run.state, states(run)) == ("success", {"within": "success", "plain": "success"})


def test_what_is_below_a_task_without_instances_waits_and_the_run_fails() -> None:
    below = TaskSpec(task_id="below", upstream_task_ids=["late"])
    run = run_of(late(downstream_task_ids=["below"]), below, TaskSpec(task_id="plain"))
    assert (run.state, states(run)) == ("failed", {"below": None, "plain": "success"})


def test_a_run_without_logical_date_and_a_backfill_have_all_tasks() -> None:
    assert states(run_of(late(), logical_date=None)) == {"late": "success"}
    assert has_instances(late(), DATE, "backfill")
    assert not has_instances(late(), DATE, "scheduled")


def test_a_run_before_all_tasks_is_a_success_of_none() -> None:
    run = run_of(late())
    assert (run.state, states(run)) == ("success", {})
