"""Decides how many instances a mapped task gets once its upstream is done, and writes their rows."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction

from orchestrator.kernel.faults import fault_point
from orchestrator.kernel.ids import new_id
from runs import transitions
from runs.expansion import map_length
from runs.metrics.created import count_created
from runs.models import TaskInstance, XCom
from runs.run_nodes import InstanceState, Key
from runs.scheduler.clone_rows import create_indexes
from runs.scheduler.holdings import OwnedRun
from runs.scheduler.load_run import instance_values
from runs.states import TaskInstanceState

log = logging.getLogger(__name__)


def expand_task(owned: OwnedRun, key: Key, *, now: datetime) -> bool:
    """Replace the instance without index by one per index; a length of zero skips it, no length fails it for upstream.

    The last step gives the instance itself the index 0: an expansion that dies before it is recognised by the instance that
    still has none, and decided again. Returns False where somebody else changed the instance first.
    """
    task = owned.tasks[key[0]]
    length = map_length(owned.spec, task, partial(xcom_length, owned))
    if not length:
        return _end(owned, key, TaskInstanceState.UPSTREAM_FAILED if length is None else TaskInstanceState.SKIPPED, now=now)
    ids = {0: owned.ids[key]} | {index: new_id() for index in range(1, length)}
    create_indexes({index: ti_id for index, ti_id in ids.items() if index}, new_values(owned, key[0], now))
    count_created(owned.dag_id, owned.run_type, [task.task_type] * (length - 1))
    fault_point("expand.before_last_step")
    with transaction.atomic():
        if not TaskInstance.objects.filter(pk=ids[0], state=None, map_index=-1).update(map_index=0):
            return False
    del owned.ids[key]
    owned.ids |= {(key[0], index): ti_id for index, ti_id in ids.items()}
    owned.graph.replace(key, [InstanceState(key[0], index) for index in ids])
    owned.sized.add(key[0])
    owned.branch_news |= key[0] in owned.below_branches
    return True


def new_values(owned: OwnedRun, task_id: str, now: datetime) -> dict[str, Any]:
    """Return the columns of a new instance of the task, without id and map index.

    As in Airflow, indexes that come while the run goes on bear the task's id; what the author called it stands on the first.
    """
    values = instance_values(owned.tasks[task_id]) | {
        "task_display_name": task_id,
        "dag_id": owned.dag_id,
        "run_id": owned.run_id,
        "dag_run_id": owned.pk,
    }
    return values | {"dag_version_id": owned.version_id, "wait_reason": "upstream", "wait_since": now, "updated_at": now}


def _end(owned: OwnedRun, key: Key, state: TaskInstanceState, *, now: datetime) -> bool:
    if state is TaskInstanceState.UPSTREAM_FAILED:
        log.error("%s: task %r maps over a value that has no length: return a list or a dict upstream", owned.run_id, key[0])
    with transaction.atomic():
        if not transitions.decide_without_running([owned.ids[key]], state, now=now):
            return False
    owned.graph.apply([(key, state)])
    return True


def xcom_length(owned: OwnedRun, task_id: str, key: str) -> int | None:
    """Return the length of a result: keys are counted, values never read.

    One index of a mapped group is not the group's result, so it gives no length.
    """
    rows = XCom.objects.filter(dag_run_id=owned.pk, task_id=task_id, key=key)
    upstream = owned.tasks.get(task_id)
    if upstream is not None and upstream.is_mapped:
        return rows.filter(map_index__gte=0).count()
    return rows.filter(map_index=-1).values_list("mapped_length", flat=True).first()
