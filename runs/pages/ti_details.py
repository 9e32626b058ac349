"""Decides what the details of a task instance are: every field of a try, all tries with what ended them, and why it waits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestrator.templatetags.shown import NOTHING
from runs.blockers import blockers_of
from runs.cause_words import cause_words, process_words
from runs.explain.instance import explain_instance
from runs.models import AttemptFields, TaskInstance, Trigger
from runs.pages.explained import ShownReason, shown_reasons
from runs.pages.rows import elapsed
from runs.pages.ti_address import ended_tries
from runs.states import FINISHED
from runs.task_specs import tasks_of


@dataclass(frozen=True, slots=True)
class Try:
    """A row of the table of tries."""

    row: AttemptFields
    seconds: float | None
    waited: float | None
    cause: str
    detail: str
    facts: list[str]


@dataclass(frozen=True, slots=True)
class Fact:
    """A name with its value: a text, or an instant."""

    name: str
    text: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Details:
    """All of it. ``groups`` are titles with facts."""

    groups: list[tuple[str, list[Fact]]]
    tries: list[Try]
    reasons: list[ShownReason]
    blockers: list[tuple[str, str]]


def details_of(ti: AttemptFields, tries: Sequence[AttemptFields]) -> Details:
    """Return the details of a try and of its task instance."""
    current = tries[-1]
    waits = isinstance(current, TaskInstance) and current.state not in FINISHED
    spec = tasks_of([ti]).get((ti.dag_version_id, ti.task_id))  # type: ignore[list-item]
    trigger = Trigger.objects.filter(pk=ti.trigger_id).first() if ti.trigger_id else None
    groups = [("Try", _of_try(ti)), ("Times", _times(ti)), ("Where it runs", _place(ti)), ("Task", _of_task(spec))]
    if trigger is not None:
        groups.append(("Trigger", _of_trigger(trigger)))
    reasons = shown_reasons(explain_instance(current)) if waits else []  # type: ignore[arg-type]
    blockers = blockers_of(current) if waits and current.state in (None, "scheduled") else []  # type: ignore[arg-type]
    return Details(groups, [_try(row) for row in ended_tries(list(tries))], reasons, blockers)


def _try(row: AttemptFields) -> Try:
    seconds = row.duration if row.duration is not None else elapsed(row.start_date, row.end_date) if row.end_date else None
    queued = row.queued_dttm
    waited = (row.start_date - queued).total_seconds() if row.start_date and queued else None
    cause = cause_words(row.cause) if row.cause and row.state != "success" else ""
    return Try(row, seconds, waited, cause, (row.cause_detail or "").strip(), _without_host(row))


def _without_host(row: AttemptFields) -> list[str]:
    """What is known of the process; its host has a column of its own."""
    return [fact for fact in process_words(row) if not fact.startswith("on ")]


def _of_try(ti: AttemptFields) -> list[Fact]:
    pairs: list[tuple[str, Any]] = [
        ("Id", ti.pk),
        ("Task id", ti.task_id),
        ("Map index", ti.map_index if ti.map_index >= 0 else None),
        ("Label of the index", ti.rendered_map_index),
        ("State", (ti.state or "no state").replace("_", " ")),
        ("Try", f"{ti.try_number} of {ti.max_tries + 1}" if ti.try_number else "none yet"),
        ("Tries lost to the platform", ti.infra_tries or None),
        ("Operator", ti.operator),
        ("Custom operator name", ti.custom_operator_name),
        ("Wait reason", (ti.wait_reason or "").replace("_", " ")),
        ("Continues with", ti.next_method),
        ("Note by", ti.note_user),
    ]
    return [Fact(name, _text(value)) for name, value in pairs]


def _times(ti: AttemptFields) -> list[Fact]:
    names = {"Scheduled": "scheduled_dttm", "Queued": "queued_dttm", "Start": "start_date", "End": "end_date"}
    names |= {
        "Next try or look": "retry_at",
        "Trigger ends by": "trigger_timeout",
        "Waits since": "wait_since",
        "Changed": "updated_at",
    }
    return [Fact(name, NOTHING, getattr(ti, field)) for name, field in names.items()]


def _place(ti: AttemptFields) -> list[Fact]:
    config = json.dumps(ti.executor_config, ensure_ascii=False, default=str) if ti.executor_config else None
    pairs: list[tuple[str, Any]] = [
        ("Host", ti.hostname),
        ("Process id", ti.pid),
        ("Unix user", ti.unixname),
        ("Pool", ti.pool),
        ("Pool slots", ti.pool_slots),
        ("Queue", ti.queue),
        ("Priority weight", ti.priority_weight),
        ("Executor", ti.executor or "the default one"),
        ("Executor config", config),
        ("Exit code", ti.exit_code),
        ("Signal", ti.signal),
        ("Peak memory", f"{ti.peak_rss_kb / 1024:.0f} MiB" if ti.peak_rss_kb else None),
        ("Hand-over", ti.dispatch_id),
    ]
    return [Fact(name, _text(value)) for name, value in pairs]


def _of_task(spec: Any) -> list[Fact]:
    """What the author wrote; None where the version or the task is gone."""
    if spec is None:
        return [Fact("Definition", "The version of this try, or the task in it, is gone.")]
    pairs: list[tuple[str, Any]] = [
        ("Trigger rule", spec.trigger_rule.replace("_", " ")),
        ("Owner", spec.owner),
        ("Retries", spec.retries),
        ("Retry delay", f"{spec.retry_delay:g} s" if spec.retries else None),
        ("Execution timeout", f"{spec.execution_timeout:g} s" if spec.execution_timeout else None),
        ("Depends on past", spec.depends_on_past),
        ("Waits for downstream of the run before", spec.wait_for_downstream),
        ("Most at once in the DAG", spec.max_active_tis_per_dag),
        ("Most at once in a run", spec.max_active_tis_per_dagrun),
        ("Mapped", spec.is_mapped),
        ("Setup or teardown", "setup" if spec.is_setup else "teardown" if spec.is_teardown else None),
        ("Template fields", ", ".join(spec.template_fields)),
        ("Runs as", spec.run_as_user),
    ]
    return [Fact(name, _text(value)) for name, value in pairs]


def _of_trigger(trigger: Trigger) -> list[Fact]:
    owner = str(trigger.triggerer_id) if trigger.triggerer_id else "no triggerer has it yet"
    facts = [Fact("Class", trigger.classpath), Fact("Triggerer", owner), Fact("Queue", _text(trigger.queue))]
    return [*facts, Fact("Created", NOTHING, trigger.created_date), Fact("Lease until", NOTHING, trigger.lease_until)]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "✓" if value else NOTHING
    return NOTHING if value in (None, "") else str(value)
