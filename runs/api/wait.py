"""Decides the REST operation that waits for the end of a run: one line of JSON per look, the last with results."""

import json
import threading
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from django.db import connection
from django.db.models import Q
from django.http import StreamingHttpResponse

from orchestrator.rest import scalars
from orchestrator.rest.errors import InvalidError, ProblemError
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.params import Param, params
from runs.api.queries import run_or_404
from runs.models import DagRun, XCom
from runs.states import DAG_RUN_FINISHED

operations = Operations("DagRun")

_MISSING: Any = object()


def _seconds(value: Any) -> float:
    seconds = scalars.number(value)
    if seconds <= 0:
        raise ProblemError("greater_than", "Input should be greater than 0", {"gt": 0.0})
    return min(seconds, 3600.0)


WAIT = params(Param("interval", _seconds, _MISSING), Param("result", many=True))


@operations.add("GET", "/dags/{dag_id}/dagRuns/{dag_run_id}/wait", "wait_dag_run_until_finished", params=WAIT)
def wait_dag_run_until_finished(call: Call) -> StreamingHttpResponse:
    """Stream the state of a run every ``interval`` seconds until it has ended.

    The last line has the results of the tasks that ``result`` names; without it, of those that the DAG's author named
    by ``dag.add_result`` or ``@result``.
    """
    if call.query["interval"] is _MISSING:
        raise InvalidError([ProblemError("missing", "Field required").at(["query", "interval"], None)])
    run = run_or_404(call.path["dag_id"], call.path["dag_run_id"])
    response = StreamingHttpResponse(_lines(run.pk, call.query["interval"], call.query["result"]))
    del response.headers["Content-Type"]  # as Airflow answers
    return response


def _lines(run_pk: int, interval: float, results_of: Sequence[str] | None) -> Iterator[bytes]:
    while True:
        state = DagRun.objects.filter(pk=run_pk).values_list("state", flat=True).first()
        finished = state is None or state in DAG_RUN_FINISHED
        line: dict[str, Any] = {"state": state}
        if finished and (results := _results(run_pk, results_of)):
            line["results"] = results
        _give_back_connection()
        yield json.dumps(line).encode() + b"\n"
        if finished:
            return
        threading.Event().wait(interval)


def _results(run_pk: int, task_ids: Sequence[str] | None) -> dict[str, Any]:
    """Return the results of these tasks, or of the author's choice; those of a mapped task as a list by map index."""
    chosen = Q(is_dag_result=True) if task_ids is None else Q(task_id__in=list(task_ids))
    rows = XCom.objects.filter(chosen, dag_run_id=run_pk, key="return_value").order_by("task_id", "map_index")
    results: dict[str, Any] = {}
    for task_id, group in groupby(rows, key=lambda row: row.task_id):
        found = list(group)
        values = [json.loads(row.value) if row.value is not None else None for row in found]
        results[task_id] = values[0] if len(found) == 1 and found[0].map_index < 0 else values
    return results


def _give_back_connection() -> None:
    """A client that waits for hours must not hold a database connection for so long."""
    if not connection.in_atomic_block:
        connection.close()
