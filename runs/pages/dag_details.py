"""Decides which attributes the page of details tells of a DAG, in which sections, and how their values read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from dags_app.api.asset_expressions import asset_expression
from dags_app.models import Dag
from orchestrator.sdk.serialization.spec import DagSpec
from orchestrator.templatetags.shown import NOTHING, moment, seconds
from runs.pages.dags.schedule import schedule_words


@dataclass(frozen=True, slots=True)
class Section:
    """Some attributes under one heading."""

    title: str
    facts: list[tuple[str, str | SafeString]]


def details_of(dag: Dag, spec: DagSpec | None) -> list[Section]:
    """Return the sections; what the newest version says is left out where it cannot be read."""
    sections = [Section("What it is", list(_identity(dag))), Section("Schedule", list(_schedule(dag, spec)))]
    sections.append(Section("Limits and behaviour", list(_limits(dag, spec))))
    if spec is not None:
        sections.append(Section("Defaults and params", list(_defaults(spec))))
        sections.append(Section("Assets and rules", list(_rules(spec))))
    return sections


def _identity(dag: Dag) -> Iterator[tuple[str, str | SafeString]]:
    yield "DAG id", _code(dag.dag_id)
    yield "Display name", dag.dag_display_name or NOTHING
    yield "Description", dag.description or NOTHING
    yield "Owners", dag.owners or NOTHING
    yield "File", _code(dag.relative_fileloc)
    yield "Path", _code(dag.fileloc)
    yield "Bundle", _code(f"{dag.bundle_id}{f' at {dag.bundle_version}' if dag.bundle_version else ''}")
    yield "Last read", _when(dag.last_parsed_time)
    yield "Took to read", seconds(dag.last_parse_duration)
    yield "First seen", _when(dag.created_at)
    yield "No file defines it", _yes(dag.is_stale)


def _schedule(dag: Dag, spec: DagSpec | None) -> Iterator[tuple[str, str | SafeString]]:
    yield "Schedule", schedule_words(dag)
    yield "Expression", _code(dag.timetable_summary)
    yield "Timetable", _code(dag.timetable_type)
    yield "Paused", _yes(dag.is_paused)
    yield "Catches up", _yes(dag.catchup)
    yield "Next run after", _when(dag.next_dagrun_create_after)
    yield "Next logical date", _when(dag.next_dagrun_logical_date)
    yield "Next data interval", _interval(dag.next_dagrun_data_interval_start, dag.next_dagrun_data_interval_end)
    if spec is not None:
        yield "Time zone", spec.timezone
        yield "Start date", _stored(spec.start_date)
        yield "End date", _stored(spec.end_date)


def _limits(dag: Dag, spec: DagSpec | None) -> Iterator[tuple[str, str | SafeString]]:
    yield "Runs at once", str(dag.max_active_runs or "no limit")
    yield "Tasks at once", str(dag.max_active_tasks)
    yield "Paused after failed runs", str(dag.max_consecutive_failed_dag_runs or "never")
    yield "While another run is unfinished", dag.overlap_policy.replace("_", " ")
    if spec is None:
        return
    yield "Timeout of a run", seconds(spec.dagrun_timeout)
    yield "Fails fast", _yes(spec.fail_fast)
    yield "Paused when first seen", NOTHING if spec.is_paused_upon_creation is None else _yes(spec.is_paused_upon_creation)
    yield (
        "Reruns use the newest version",
        NOTHING if spec.rerun_with_latest_version is None else _yes(spec.rerun_with_latest_version),
    )
    yield "Templates give native objects", _yes(spec.render_template_as_native_obj)
    yield "Templates are looked for in", ", ".join(spec.template_searchpath) or NOTHING
    yield "Types of runs", ", ".join(spec.allowed_run_types or []) or "all"
    yield "Tasks", str(len(spec.tasks))


def _defaults(spec: DagSpec) -> Iterator[tuple[str, str | SafeString]]:
    yield from ((f"Default {name}", _value(value)) for name, value in (spec.default_args or {}).items())
    for name, param in (spec.params or {}).items():
        shown = param.get("value") if isinstance(param, dict) else param
        yield f"Param {name}", _value(shown)
        if isinstance(param, dict) and param.get("description"):
            yield "", str(param["description"])


def _rules(spec: DagSpec) -> Iterator[tuple[str, str | SafeString]]:
    expression = asset_expression(spec.asset_condition)
    yield "Assets that start it", _value(expression) if expression else NOTHING
    yield "Takes asset events", spec.event_policy + (f", {seconds(spec.event_window)}" if spec.event_window else "")
    yield "Deadline", _value(spec.deadline) if spec.deadline else NOTHING
    yield "Rules for retries", _value(spec.retry_rules) if spec.retry_rules else NOTHING
    yield "Access", _value(spec.access_control) if spec.access_control else NOTHING
    yield "Callback on success", _yes(spec.has_on_success_callback)
    yield "Callback on failure", _yes(spec.has_on_failure_callback)


def _yes(value: bool) -> str:
    return "✓ yes" if value else f"{NOTHING} no"


def _code(text: str | None) -> str | SafeString:
    return format_html("<code>{}</code>", text) if text else NOTHING


def _value(value: Any) -> SafeString:
    return format_html("<code>{}</code>", value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))


def _when(value: datetime | None) -> str:
    return moment(value)


def _interval(start: datetime | None, end: datetime | None) -> str | SafeString:
    return format_html("{} to {}", moment(start), moment(end)) if start and end else NOTHING


def _stored(text: str | None) -> str:
    try:
        return moment(datetime.fromisoformat(text)) if text else NOTHING
    except ValueError:
        return str(text)
