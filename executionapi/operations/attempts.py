"""Decides what a worker may write and read about its own attempt besides its state."""

from __future__ import annotations

import json
from typing import Any, Final
from uuid import UUID

from executionapi.calls import Call, Operation, one_by_one
from executionapi.documents import moment
from executionapi.fields import Field, InvalidError, array, mapping, read_object, read_value, text
from executionapi.replies import RefusalError, Reply, attempt_gone, attempt_not_found
from orchestrator.kernel.clock import utcnow
from runs import transitions
from runs.causes import Cause
from runs.models import DagRun, RenderedFields, TaskInstance, TaskInstanceHistory, TaskReschedule
from runs.states import DagRunState
from runs.states import TaskInstanceState as S


def missing_or_gone(ti_id: UUID) -> RefusalError:
    """410 where the attempt is history, else 404."""
    return attempt_gone(ti_id) if TaskInstanceHistory.objects.filter(pk=ti_id).exists() else attempt_not_found(ti_id)


def own_rows(calls: list[Call]) -> dict[UUID, TaskInstance]:
    """The current rows of the attempts that ask, with the columns that say which they are."""
    rows = TaskInstance.objects.filter(pk__in={call.ti_id for call in calls})
    return {
        row.pk: row for row in rows.only("id", "dag_run_id", "dag_id", "run_id", "task_id", "map_index", "state", "dispatch_id")
    }


# ------------------------------------------------------------------------------------------------ rendered fields


def read_rendered(call: Call) -> tuple[UUID, str]:
    """The rendered fields as JSON text."""
    return call.ti_id, json.dumps(read_value(call.body, mapping, ("body",)))


def put_rendered(calls: list[Call]) -> list[Reply]:
    """Keep the rendered template fields of all; the last of one attempt counts."""
    rows = own_rows(calls)
    found = {call.value[0]: call.value[1] for call in calls if call.value[0] in rows}
    RenderedFields.objects.bulk_create(
        [RenderedFields(ti_id=ti_id, dag_run_id=rows[ti_id].dag_run_id, fields=fields) for ti_id, fields in found.items()],
        update_conflicts=True,
        unique_fields=["ti_id"],
        update_fields=["fields"],
    )
    done = {"message": "Rendered task instance fields successfully set"}
    return [Reply(201, done) if call.value[0] in found else missing_or_gone(call.value[0]).reply for call in calls]


# ------------------------------------------------------------------------------------------------ rendered map index


def read_map_index(call: Call) -> tuple[UUID, str]:
    """The name that a mapped attempt gave itself."""
    name = read_value(call.body, text, ("body",))
    if not name:
        raise RefusalError(422, "rendered_map_index cannot be empty")
    return call.ti_id, name


def patch_map_index(call: Call) -> Reply:
    """Keep the name."""
    ti_id, name = call.value
    if not TaskInstance.objects.filter(pk=ti_id).update(rendered_map_index=name):
        raise RefusalError(404, f"No task instance has the id {ti_id}")
    return Reply(204)


# ------------------------------------------------------------------------------------------------ skip downstream


def _task(value: Any) -> tuple[str, int]:
    if isinstance(value, str):
        return value, -1
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], int):
        return value[0], value[1]
    raise InvalidError("tuple_type", "Input should be a task id or [task id, map index]")


def _tasks(value: Any) -> list[tuple[str, int]]:
    return [_task(item) for item in array(value)]


_SKIP: Final = (Field("tasks", _tasks),)
_NOT_SKIPPED: Final = (S.RUNNING, S.SUCCESS, S.FAILED, S.SKIPPED)


def read_skip(call: Call) -> list[tuple[str, int]]:
    """The tasks to skip."""
    call.ti_id  # noqa: B018  refuses a path that holds no UUID
    tasks: list[tuple[str, int]] = read_object(call.body, _SKIP)["tasks"]
    return tasks


def skip_downstream(call: Call) -> Reply:
    """Skip tasks of the same run that neither run nor have run; a repeat finds nothing left to skip."""
    row = own_rows([call]).get(call.ti_id)
    if row is None:
        raise missing_or_gone(call.ti_id)
    asked = set(call.value)
    rows = TaskInstance.objects.filter(dag_run_id=row.dag_run_id, task_id__in={task_id for task_id, _ in asked})
    locked = rows.select_for_update().order_by(*transitions.LOCK_ORDER).only("id", "dag_run_id", "task_id", "map_index", "state")
    ids = [r.pk for r in locked if (r.task_id, r.map_index) in asked and r.state not in _NOT_SKIPPED]
    if ids:
        transitions.mark(ids, S.SKIPPED, now=utcnow(), actor=row.task_id, cause=Cause.SKIP)
    return Reply(204)


# ------------------------------------------------------------------------------------------------ reads


def previous_successful_run(call: Call) -> Reply:
    """Interval and dates of the last successful run before the attempt's run; nulls where there is none."""
    own = DagRun.objects.filter(task_instances__pk=call.ti_id).only("dag_id", "logical_date").first()
    run = None
    if own is not None and own.logical_date is not None:
        earlier = DagRun.objects.filter(dag_id=own.dag_id, logical_date__lt=own.logical_date, state=DagRunState.SUCCESS)
        run = earlier.order_by("-logical_date").first()
    names = ("data_interval_start", "data_interval_end", "start_date", "end_date")
    return Reply(200, {name: moment(getattr(run, name)) if run else None for name in names})


def reschedule_start(call: Call) -> Reply:
    """When the first poke of a sensor in reschedule mode began; null where there was none."""
    first = TaskReschedule.objects.filter(ti_id=call.ti_id).order_by("pk").values_list("start_date", flat=True).first()
    return Reply(200, moment(first))


_TI = "task-instances/{task_instance_id}"

OPERATIONS: Final = (
    Operation("PUT", f"{_TI}/rtif", put_rendered, read_rendered, own=True, writes=True),
    Operation("PATCH", f"{_TI}/rendered-map-index", one_by_one(patch_map_index), read_map_index, own=True, writes=True),
    Operation("PATCH", f"{_TI}/skip-downstream", one_by_one(skip_downstream), read_skip, own=True, writes=True),
    Operation("GET", f"{_TI}/previous-successful-dagrun", one_by_one(previous_successful_run), own=True),
    Operation("GET", "task-reschedules/{task_instance_id}/start_date", one_by_one(reschedule_start), own=True),
)
