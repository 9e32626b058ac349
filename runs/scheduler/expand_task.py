"""Decides how many instances a mapped task gets once its upstream is done, and writes their rows."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from django.db import transaction

from orchestrator.kernel.ids import new_id
from orchestrator.sdk.serialization.spec import ExpandSpec
from runs import transitions
from runs.expansion import expand_of
from runs.models import TaskInstance, XCom
from runs.run_nodes import InstanceState, Key
from runs.scheduler.holdings import OwnedRun
from runs.scheduler.load_run import CHUNK, instance_values
from runs.states import TaskInstanceState


class CannotExpandError(Exception):
    """A mapped task maps over something that has no length."""


def expand_task(owned: OwnedRun, key: Key, *, now: datetime) -> None:
    """Replace the instance without index by one per index; a length of zero skips it.

    Raises:
        CannotExpandError: naming the task and the value that it maps over.
    """
    task = owned.tasks[key[0]]
    expand = expand_of(owned.spec, task)
    length = _length(owned, expand) if expand else None
    if length is None:
        raise CannotExpandError(f"task {key[0]!r} maps over a value that has no length: return a list or a dict upstream")
    if length == 0:
        with transaction.atomic():
            transitions.decide_without_running([owned.ids[key]], TaskInstanceState.SKIPPED, now=now)
        owned.graph.apply([(key, TaskInstanceState.SKIPPED)])
        return
    ids = {0: owned.ids.pop(key)} | {index: new_id() for index in range(1, length)}
    with transaction.atomic():
        TaskInstance.objects.filter(pk=ids[0]).update(map_index=0)
    values = instance_values(task) | {"dag_id": owned.dag_id, "run_id": owned.run_id, "dag_run_id": owned.pk}
    values |= {"dag_version_id": owned.version_id, "wait_reason": "upstream", "wait_since": now, "updated_at": now}
    for start in range(1, length, CHUNK):
        rows = [TaskInstance(id=ids[i], map_index=i, **values) for i in range(start, min(start + CHUNK, length))]
        with transaction.atomic():
            TaskInstance.objects.bulk_create(rows)
    owned.ids |= {(key[0], index): ti_id for index, ti_id in ids.items()}
    owned.graph.replace(key, [InstanceState(key[0], index) for index in ids])


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
