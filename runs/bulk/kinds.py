"""Decides which bulk actions there are, what each takes and under which name the audit log knows it; no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from orchestrator.json_given import ValueUnreadableError, conf_given
from orchestrator.rest import scalars
from orchestrator.rest.bodies import Body, Field
from orchestrator.rest.errors import ProblemError


class Target(StrEnum):
    """What the items of an action are."""

    TASK_INSTANCES = "task_instances"
    DAG_RUNS = "dag_runs"
    DAGS = "dags"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of action on one kind of item.

    ``event`` is the audit log's name of the single action; empty where the service writes its own row. ``keeps_still``: a run
    that is changed in several transactions is held between them, so that nothing begins that a later part would undo.
    ``reopens``: a finished run goes on after it.
    """

    name: str
    event: str
    options: Mapping[str, Field]
    keeps_still: bool = False
    reopens: bool = False


def _switch(default: bool = False) -> Field:
    return Field(scalars.switch, null=False, default=default)


def _configuration(value: Any) -> dict[str, Any]:
    """Take a JSON object, or its text, as the command line has it."""
    try:
        return conf_given(value)
    except ValueUnreadableError as error:
        raise ProblemError("value_error", f"Value error, {error}", {"error": {}}) from error


_NOTE = Field(scalars.text_up_to(1000))
_LATEST = Field(scalars.switch)
_UNTIL = Field(scalars.aware_instant)
_MARK, _MARK_RUN = "patch_task_instance", "patch_dag_run"
_VERSION = {"run_on_latest_version": _LATEST, "dag_version": Field(scalars.at_least(1))}
_CLEAR_INSTANCES = {
    "include_upstream": _switch(),
    "include_downstream": _switch(),
    **_VERSION,
    "reset_dag_runs": _switch(True),
    "prevent_running_task": _switch(),
    "note": _NOTE,
}
_CLEAR_RUNS = {"only_failed": _switch(), **_VERSION, "note": _NOTE}
_SET_NOTE = {"note": Field(scalars.text_up_to(1000), required=True, null=False)}

_TRIGGER = {"conf": Field(_configuration), "note": _NOTE, "unpause": _switch()}

_KINDS = {
    Target.TASK_INSTANCES: (
        Kind("clear", "post_clear_task_instances", _CLEAR_INSTANCES, keeps_still=True, reopens=True),
        Kind("mark_success", _MARK, {}, keeps_still=True, reopens=True),
        Kind("mark_failed", _MARK, {}, keeps_still=True),
        Kind("mark_skipped", _MARK, {}, keeps_still=True, reopens=True),
        Kind("hold", "hold", {"until": _UNTIL}),
        Kind("release", "release", {}),
        Kind("retry_now", "", {}),
        Kind("give_up", "", {}),
        Kind("note", _MARK, _SET_NOTE),
        Kind("delete", "delete_task_instance", {}),
    ),
    Target.DAG_RUNS: (
        Kind("clear", "clear_dag_run", _CLEAR_RUNS, keeps_still=True, reopens=True),
        Kind("run_new_tasks", "clear_dag_run", {"note": _NOTE}, reopens=True),
        Kind("mark_success", _MARK_RUN, {}),
        Kind("mark_failed", _MARK_RUN, {}),
        Kind("queue", _MARK_RUN, {}, reopens=True),
        Kind("stop", "stop_dag_run", {}),
        Kind("hold", "hold", {"until": _UNTIL}),
        Kind("release", "release", {}),
        Kind("note", _MARK_RUN, _SET_NOTE),
        Kind("delete", "delete_dag_run", {}),
    ),
    Target.DAGS: (Kind("trigger", "", _TRIGGER),),
}
KINDS: Mapping[Target, Mapping[str, Kind]] = {target: {kind.name: kind for kind in kinds} for target, kinds in _KINDS.items()}
NOUNS: Mapping[str, str] = {Target.TASK_INSTANCES: "task instance", Target.DAG_RUNS: "run", Target.DAGS: "DAG"}


def body_of(kind: Kind) -> Body:
    """Return how the options of a kind are read."""
    return Body(f"Options of {kind.name}", kind.options)


def items_of(target: str, kind: str) -> Target:
    """Return what the items are, whatever was selected: a clear of a run is a clear of what is in it."""
    return Target.TASK_INSTANCES if (target, kind) == (Target.DAG_RUNS, "clear") else Target(target)


def has_instances(target: str, kind: str) -> bool:
    """Return whether the items are task instances."""
    return items_of(target, kind) == Target.TASK_INSTANCES


def noun_of(target: str, kind: str) -> str:
    """Return what people call one item."""
    return NOUNS[items_of(target, kind)]
