"""Decides how tests make DAGs that read, write and wait for assets, and events of them."""

from __future__ import annotations

import json
from typing import Any

from django.db import transaction

from dags_app.models import Asset, Dag
from dags_app.processor.assets import assets_store
from dags_app.selectors import spec_of
from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.ids import new_id
from orchestrator.sdk.definitions.asset_schedule import as_schedule
from orchestrator.sdk.definitions.timetables import encode_timetable, timetable_from_schedule
from orchestrator.sdk.serialization.assets import encode
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec, to_json
from runs.assets.events import NewEvent, events_add
from runs.models import AssetEvent
from tests.factories import make_dag


def spec(dag_id: str, schedule: Any = None, *, outlets: Any = (), inlets: Any = (), **fields: Any) -> DagSpec:
    """Return a DAG with one task ``t`` and this schedule, as an author would write it."""
    timetable = timetable_from_schedule(as_schedule(schedule))
    task = TaskSpec(task_id="t", outlets=[encode(item) for item in outlets], inlets=[encode(item) for item in inlets])
    condition = getattr(timetable, "asset_condition", None)
    return DagSpec(dag_id=dag_id, tasks=[task], timetable=encode_timetable(timetable), asset_condition=condition, **fields)


def stored(dag_id: str, schedule: Any = None, *, outlets: Any = (), inlets: Any = (), catchup: bool = False, **row: Any) -> Dag:
    """Make such a DAG with everything that the DAG processor writes of it; ``row`` are columns of the DAG."""
    document = spec(dag_id, schedule, outlets=outlets, inlets=inlets, catchup=catchup)
    dag = make_dag(dag_id, document, timetable_type=str(document.timetable["type"]), **row)
    with transaction.atomic():
        assets_store(dag, document)
    return dag


def changed(dag: Dag, schedule: Any = None, *, outlets: Any = (), inlets: Any = ()) -> None:
    """Store another version of a DAG in the place of the newest one."""
    document = spec(dag.dag_id, schedule, outlets=outlets, inlets=inlets)
    version = dag.latest_version
    assert version is not None
    version.document, version.structure_hash = json.dumps(to_json(document)), str(new_id())
    version.save()
    Dag.objects.filter(pk=dag.pk).update(timetable_type=document.timetable["type"])
    with transaction.atomic():
        assets_store(dag, spec_of(version.pk))


def happen(name: str, key: str | None = None, *, aliases: Any = (), **extra: Any) -> AssetEvent:
    """Let an event of an asset happen."""
    with transaction.atomic():
        asset = Asset.objects.get(name=name)
        return events_add([NewEvent(asset, extra, aliases=frozenset(aliases), partition_key=key)], now=utcnow())[0]
