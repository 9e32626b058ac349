"""Which spans a run leaves: the shape of Airflow's, from the log of changes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.kernel.clock import utcnow
from orchestrator.metrics.otel_traces import FinishedSpan
from orchestrator.processes.services import process_register
from runs.metrics.follow import LAG_SECONDS, Follower
from runs.metrics.spans import Spans, run_span
from runs.models import DagRun, StateChange
from tests.factories import NOON, make_dag, make_run, make_ti

pytestmark = pytest.mark.django_db


def spans_of(run: DagRun, *changes: tuple[str | None, str, str]) -> list[FinishedSpan]:
    """What is sent for changes of ``(task id or None for the run, from, to)``."""
    found: list[FinishedSpan] = []
    follower = Follower(process_register("scheduler").pk, [Spans(found.append)])
    follower.follow(utcnow())
    for task_id, before, after in changes:
        ti = run.task_instances.filter(task_id=task_id).first() if task_id else None
        place = {"ti_id": ti.pk, "task_id": ti.task_id, "map_index": ti.map_index, "try_number": 1} if ti else {}
        StateChange.objects.create(dag_run=run, from_state=before, to_state=after, at=utcnow(), **place)
    follower.follow(utcnow() + timedelta(seconds=LAG_SECONDS))
    return found


def test_a_run_and_each_attempt_of_it_are_spans_of_one_trace() -> None:
    run = make_run(make_dag(), state="failed", queued_at=NOON, end_date=NOON + timedelta(seconds=9))
    times = {"queued_dttm": NOON, "start_date": NOON + timedelta(seconds=1), "end_date": NOON + timedelta(seconds=3)}
    make_ti(run, "a", state="success", **times)
    make_ti(run, "m", state="failed", map_index=4, **times)
    good, bad, whole = spans_of(run, ("a", "running", "success"), ("m", "running", "failed"), (None, "running", "failed"))
    assert (good.name, bad.name, whole.name) == ("task_run.a", "task_run.m[4]", "dag_run.d")
    assert (good.is_ok, bad.is_ok, whole.is_ok) == (True, False, False)
    assert {good.trace_id, bad.trace_id} == {whole.trace_id}
    assert (good.parent_id, bad.parent_id, whole.parent_id) == (whole.span_id, whole.span_id, None)
    assert (good.start, good.end, whole.start) == (NOON, NOON + timedelta(seconds=3), NOON)
    assert dict(bad.attributes) | {"airflow.task_instance.id": ""} == {
        "airflow.dag_id": "d",
        "airflow.dag_run.run_id": "r",
        "airflow.dag_run.run_type": "manual",
        "airflow.task_id": "m",
        "airflow.task_instance.try_number": 1,
        "airflow.task_instance.map_index": 4,
        "airflow.task_instance.state": "failed",
        "airflow.task_instance.id": "",
    }


def test_what_no_worker_had_and_what_goes_on_is_no_span() -> None:
    run = make_run(make_dag())
    make_ti(run, "a", state="skipped")
    changes = (("a", "scheduled", "skipped"), ("a", "running", "deferred"), ("a", "running", "up_for_reschedule"))
    assert spans_of(run, *changes, (None, "queued", "running")) == []


def test_a_run_that_is_cleared_begins_another_trace() -> None:
    run = make_run(make_dag(), state="success", end_date=NOON)
    traces = set()
    for run.clear_number in (0, 0, 1):
        span = run_span(StateChange(dag_run=run, from_state="running", to_state="success", at=NOON))
        assert span is not None
        traces.add(span.trace_id)
    assert len(traces) == 2
