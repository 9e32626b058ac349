"""Decides how an author's DAG becomes the document that the server stores."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from orchestrator.sdk.definitions.dag import DAG
from orchestrator.sdk.definitions.priority import total_weights
from orchestrator.sdk.serialization import assets
from orchestrator.sdk.serialization import plain_values as values
from orchestrator.sdk.serialization.default_arguments import default_arguments
from orchestrator.sdk.serialization.encode_task import encode_alerts, encode_deadlines, encode_task
from orchestrator.sdk.serialization.expansion import encode_expand
from orchestrator.sdk.serialization.spec import DagSpec, TaskGroupSpec, TaskSpec

DEFAULT_OWNER = TaskSpec(task_id="").owner


def encode_dag(dag: DAG) -> DagSpec:
    """Check the whole DAG and return it as its document; more than 40 lines because it is one table of fields.

    Raises what ``dag.validate()`` raises, such as ``AirflowDagCycleException`` for a circle,
    and ``AirflowTimetableInvalid`` for a schedule that cannot be stored.
    """
    from orchestrator.sdk.definitions.timetables import encode_timetable

    dag.validate()
    tasks = dag.topological_sort()
    totals = total_weights(tasks)
    return DagSpec(
        dag_id=dag.dag_id,
        dag_display_name=dag.dag_display_name,
        description=dag.description,
        doc_md=_dedented(dag.doc_md),
        fileloc=dag.fileloc,
        relative_fileloc=os.path.basename(dag.fileloc),
        tags=sorted(dag.tags),
        owners=_owners(tasks),
        owner_links=dict(sorted(dag.owner_links.items())),
        timezone=_zone_name(dag.timezone),
        start_date=values.instant(dag.start_date),
        end_date=values.instant(dag.end_date),
        timetable=encode_timetable(dag.timetable),
        timetable_summary=dag.timetable.summary if dag.schedule is not None else None,
        timetable_description=dag.timetable.description,
        catchup=bool(dag.catchup),
        max_active_tasks=dag.max_active_tasks,
        max_active_runs=dag.max_active_runs,
        max_consecutive_failed_dag_runs=dag.max_consecutive_failed_dag_runs,
        dagrun_timeout=values.seconds(dag.dagrun_timeout),
        is_paused_upon_creation=dag.is_paused_upon_creation,
        fail_fast=bool(dag.fail_fast),
        default_args=default_arguments(dag.default_args),
        params=values.params(dag.params),
        render_template_as_native_obj=bool(dag.render_template_as_native_obj),
        template_searchpath=list(dag.template_searchpath),
        has_on_success_callback=dag.has_on_success_callback,
        has_on_failure_callback=dag.has_on_failure_callback,
        alerts=encode_alerts(dag, ("success", "failure")),
        access_control=values.plain(dag.access_control),
        deadline=encode_deadlines(dag.deadline),
        allowed_run_types=sorted(dag.allowed_run_types) if dag.allowed_run_types is not None else None,
        rerun_with_latest_version=dag.rerun_with_latest_version,
        overlap_policy=dag.overlap_policy,
        on_unpause=dag.on_unpause,
        retry_rules=dag.retry_rules,
        event_policy=dag.event_policy,
        event_window=dag.event_window,
        disable_bundle_versioning=bool(dag.disable_bundle_versioning),
        tasks=[encode_task(task, totals[task.task_id]) for task in tasks],
        task_groups=[_group(group) for group in dag.task_group.get_task_group_dict().values()],
        edge_info={up: dict(sorted(down.items())) for up, down in sorted(dag.edge_info.items())},
        asset_condition=assets.schedule_condition(dag.timetable),
        dependencies=assets.dag_dependencies(dag, tasks),
    )


def _owners(tasks: Iterable[Any]) -> list[str]:
    """Return who owns the DAG: the default owner counts where nobody else does only."""
    return sorted({str(task.owner) for task in tasks} - {DEFAULT_OWNER}) or [DEFAULT_OWNER]


def _zone_name(zone: Any) -> str:
    name = str(getattr(zone, "name", None) or getattr(zone, "key", None) or zone)
    return "UTC" if name == "+00:00" else name


def _dedented(text: str | None) -> str | None:
    import inspect

    return inspect.cleandoc(text) if text else text


def _group(group: Any) -> TaskGroupSpec:
    parent = group.parent_group
    return TaskGroupSpec(
        group_id=group.group_id,
        parent_id=parent.group_id if parent is not None else None,
        label=group._group_id or "",
        display_name=group.group_display_name,
        tooltip=group.tooltip,
        doc_md=group.doc_md,
        prefix_group_id=group.prefix_group_id,
        ui_color=group.ui_color,
        ui_fgcolor=group.ui_fgcolor,
        children=list(group.children),
        upstream_group_ids=_sorted(group.upstream_group_ids),
        downstream_group_ids=_sorted(group.downstream_group_ids),
        upstream_task_ids=sorted(group.upstream_task_ids),
        downstream_task_ids=sorted(group.downstream_task_ids),
        is_mapped=group.is_mapped,
        expand=encode_expand(group.expand_input) if group.is_mapped else None,
        deadline=encode_deadlines(group.deadline_alerts),
    )


def _sorted(ids: set[str | None]) -> list[str]:
    return sorted(name for name in ids if name is not None)
