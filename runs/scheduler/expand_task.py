"""Decides how many instances a mapped task gets once its upstream is done, and writes their rows."""

from __future__ import annotations

import logging
import math
from datetime import datetime
from typing import Any

from django.db import transaction

from orchestrator.kernel.faults import fault_point
from orchestrator.kernel.ids import new_id
from orchestrator.sdk.serialization.spec import ExpandSpec
from runs import transitions
from runs.expansion import expand_of
from runs.models import TaskInstance, XCom
from runs.run_nodes import InstanceState, Key
from runs.scheduler.holdings import OwnedRun
from runs.scheduler.load_run import CHUNK, instance_values
from runs.states import TaskInstanceState

log = logging.getLogger(__name__)


def expand_task(owned: OwnedRun, key: Key, *, now: datetime) -> bool:
    """Replace the instance without index by one per index; a length of zero skips it, no length fails it for upstream.

    The last step gives the instance itself the index 0: an expansion that dies before it is recognised by the instance that
    still has none, and decided again. Returns False where somebody else changed the instance first.
    """
    task = owned.tasks[key[0]]
    expand = expand_of(owned.spec, task)
    length = _length(owned, expand) if expand else None
    if not length:
        return _end(owned, key, TaskInstanceState.UPSTREAM_FAILED if length is None else TaskInstanceState.SKIPPED, now=now)
    ids = {0: owned.ids[key]} | {index: new_id() for index in range(1, length)}
    values = instance_values(task) | {"dag_id": owned.dag_id, "run_id": owned.run_id, "dag_run_id": owned.pk}
    values |= {"dag_version_id": owned.version_id, "wait_reason": "upstream", "wait_since": now, "updated_at": now}
    for start in range(1, length, CHUNK):
        rows = [TaskInstance(id=ids[i], map_index=i, **values) for i in range(start, min(start + CHUNK, length))]
        with transaction.atomic():
            TaskInstance.objects.bulk_create(rows)
    fault_point("expand.before_last_step")
    with transaction.atomic():
        if not TaskInstance.objects.filter(pk=ids[0], state=None, map_index=-1).update(map_index=0):
            return False
    del owned.ids[key]
    owned.ids |= {(key[0], index): ti_id for index, ti_id in ids.items()}
    owned.graph.replace(key, [InstanceState(key[0], index) for index in ids])
    return True


def _end(owned: OwnedRun, key: Key, state: TaskInstanceState, *, now: datetime) -> bool:
    if state is TaskInstanceState.UPSTREAM_FAILED:
        log.error("%s: task %r maps over a value that has no length: return a list or a dict upstream", owned.run_id, key[0])
    with transaction.atomic():
        if not transitions.decide_without_running([owned.ids[key]], state, now=now):
            return False
    owned.graph.apply([(key, state)])
    return True


def _length(owned: OwnedRun, expand: ExpandSpec) -> int | None:
    if expand.length is not None:
        return expand.length
    lengths = [_value_length(owned, value) for value in expand.arguments.values()]
    return None if None in lengths else math.prod(item for item in lengths if item is not None)


def _value_length(owned: OwnedRun, value: dict[str, Any]) -> int | None:
    if "literal" in value:
        return len(value["literal"])
    return _reference_length(owned, value["xcom"])


def _reference_length(owned: OwnedRun, reference: dict[str, Any]) -> int | None:
    """Return the length of a plain reference, or of map, zip and concat over others."""
    kind = reference.get("type", "plain")
    if kind == "plain":
        return _xcom_length(owned, reference["task_id"], reference.get("key") or "return_value")
    inner = reference.get("args") or [reference["arg"]]
    lengths = [
        _value_length(owned, item) if "literal" in item or "xcom" in item else _reference_length(owned, item) for item in inner
    ]
    known = [item for item in lengths if item is not None]
    if len(known) < len(lengths):
        return None
    if kind == "concat":
        return sum(known)
    if kind == "zip":
        return max(known) if "fillvalue" in reference else min(known)
    return known[0]


def _xcom_length(owned: OwnedRun, task_id: str, key: str) -> int | None:
    rows = XCom.objects.filter(dag_run_id=owned.pk, task_id=task_id, key=key)
    upstream = owned.tasks.get(task_id)
    if upstream is not None and (upstream.is_mapped or upstream.mapped_group_id):
        return rows.count()
    return rows.values_list("mapped_length", flat=True).first()
