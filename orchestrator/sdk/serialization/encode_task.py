"""Decides how one task becomes its part of the document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestrator.sdk.definitions.rules import PriorityWeightStrategy
from orchestrator.sdk.definitions.states import word_of
from orchestrator.sdk.notifiers.alerts import alerts_of, as_list
from orchestrator.sdk.plugins.links import links_of
from orchestrator.sdk.serialization import assets
from orchestrator.sdk.serialization import plain_values as values
from orchestrator.sdk.serialization.airflow_paths import airflow_module
from orchestrator.sdk.serialization.expansion import encode_expand
from orchestrator.sdk.serialization.spec import TaskSpec
from orchestrator.sdk.serialization.values import encode

#: Copied as they are.
_SAME = (
    "is_setup", "is_teardown", "on_failure_fail_dagrun", "depends_on_past", "ignore_first_depends_on_past",
    "wait_for_downstream", "wait_for_past_depends_before_skipping", "pool", "pool_slots", "priority_weight", "queue",
    "executor", "max_active_tis_per_dag", "max_active_tis_per_dagrun", "run_as_user", "do_xcom_push", "multiple_outputs",
    "ui_color", "ui_fgcolor", "doc", "doc_md", "doc_json", "doc_yaml", "doc_rst", "map_index_template",
    "email_on_failure", "email_on_retry", "task_type", "operator_name", "task_display_name",
)  # fmt: skip
_CALLBACKS = ("execute", "failure", "success", "retry", "skipped")


def encode_task(task: Any, priority_weight_total: int) -> TaskSpec:
    """Return the document of one task or mapped task."""
    spec = TaskSpec(task_id=task.task_id)
    for name in _SAME:
        setattr(spec, name, getattr(task, name))
    spec.priority_weight_total = priority_weight_total
    _names(spec, task)
    _timing(spec, task)
    _place(spec, task)
    _kind(spec, task)
    _display(spec, task)
    for event in _CALLBACKS:
        setattr(spec, f"has_on_{event}_callback", bool(getattr(task, f"on_{event}_callback")))
    spec.alerts = encode_alerts(task, _CALLBACKS[1:])
    shared = getattr(task, "partial_kwargs", None)
    spec.deadline = encode_deadlines(task.deadline_alerts if shared is None else as_list(shared.get("deadline")))
    spec.is_empty = task.inherits_from_empty_operator and not _must_run(spec)
    return spec


def encode_alerts(owner: Any, events: Sequence[str]) -> dict[str, Any] | None:
    """Return the built-in notifiers of a task or DAG by callback, None without any: they need no DAG file to be sent."""
    found = {f"on_{event}_callback": alerts_of(getattr(owner, f"on_{event}_callback")) for event in events}
    return {name: alerts for name, alerts in found.items() if alerts} or None


def encode_deadlines(alerts: Any) -> list[dict[str, Any]] | None:
    """Return deadline alerts as JSON, None without any."""
    return [alert.serialize() for alert in alerts] if alerts else None


def _names(spec: TaskSpec, task: Any) -> None:
    kind = getattr(task, "operator_class", type(task))
    spec.task_module = airflow_module(kind.__module__, kind.__name__)
    spec.label, spec.owner = task.label, str(task.owner)
    spec.doc_md = task.doc_md
    spec.trigger_rule = word_of(task.trigger_rule)
    rule = task.weight_rule
    custom = isinstance(rule, PriorityWeightStrategy)
    spec.weight_rule = f"{type(rule).__module__}.{type(rule).__qualname__}" if custom else word_of(rule)
    spec.weight = values.plain(rule.serialize()) if custom else None


def _retry_policy(policy: Any) -> Any:
    """Return a policy for display: only a worker asks it, so one without a JSON form is named by its class."""
    if policy is None:
        return None
    try:
        return values.plain(policy.serialize())
    except NotImplementedError:
        return {"__type": f"{type(policy).__module__}.{type(policy).__qualname__}"}


def _timing(spec: TaskSpec, task: Any) -> None:
    spec.retries = int(task.retries or 0)
    spec.retry_delay = values.seconds(task.retry_delay) or 0.0
    backoff = task.retry_exponential_backoff
    spec.retry_exponential_backoff = 2.0 if backoff is True else float(backoff or 0)
    spec.max_retry_delay = values.seconds(task.max_retry_delay)
    spec.execution_timeout = values.seconds(task.execution_timeout)
    spec.start_date, spec.end_date = values.instant(task.start_date), values.instant(task.end_date)
    spec.retry_policy = _retry_policy(task.retry_policy)


def _place(spec: TaskSpec, task: Any) -> None:
    spec.upstream_task_ids = sorted(task.upstream_task_ids)
    spec.downstream_task_ids = sorted(task.downstream_task_ids)
    spec.task_group_id = task.task_group.group_id if task.task_group is not None else None
    mapped_group = task.get_closest_mapped_task_group()
    spec.mapped_group_id = mapped_group.group_id if mapped_group is not None else None
    spec.is_mapped = task.is_mapped
    spec.expand = encode_expand(task.expand_input) if task.is_mapped else None


def _kind(spec: TaskSpec, task: Any) -> None:
    spec.is_sensor = bool(task._is_sensor)
    spec.reschedule = spec.is_sensor and getattr(task, "mode", None) == "reschedule"
    spec.deferrable = bool(getattr(task, "deferrable", False))
    spec.branches = bool(task.inherits_from_skipmixin)
    # What a mapped task's own __init__ would work out is known on the worker only: there its class alone decides.
    starter = task.operator_class if task.is_mapped else task
    spec.start_from_trigger = getattr(starter, "start_from_trigger", False) is True
    spec.start_trigger_args = _start_trigger_args(starter) if spec.start_from_trigger else None
    spec.inlets = [assets.encode(item) for item in task.inlets]
    spec.outlets = [assets.encode(item) for item in task.outlets]


def _start_trigger_args(task: Any) -> Any:
    """Return class, arguments (in the wire format that triggers read) and method; raises for arguments that have none."""
    if task.start_trigger_args is None:
        return None
    parts = task.start_trigger_args.serialize()
    return {**parts, "trigger_kwargs": encode(parts["trigger_kwargs"]), "next_kwargs": encode(parts["next_kwargs"])}


def _must_run(spec: TaskSpec) -> bool:
    return bool(
        spec.outlets
        or spec.has_on_execute_callback
        or spec.has_on_success_callback
        or spec.is_mapped
        or spec.has_on_skipped_callback
    )


def _display(spec: TaskSpec, task: Any) -> None:
    spec.template_fields = list(task.template_fields)
    spec.template_ext = [task.template_ext] if isinstance(task.template_ext, str) else list(task.template_ext)
    spec.template_fields_renderers = dict(task.template_fields_renderers)
    spec.params = values.params(task.params)
    spec.email = values.plain(task.email)
    spec.executor_config = values.plain(task.executor_config) or None
    spec.extra_link_keys = {link.name: link.xcom_key for link in sorted(links_of(task), key=lambda link: str(link.name))}
    spec.extra_links = list(spec.extra_link_keys)
    shared = getattr(task, "partial_kwargs", None)
    for name in spec.template_fields:
        value = getattr(task, name, None) if shared is None else shared.get(name)
        spec.attributes[name] = values.plain(value)
    if (depth := getattr(task, "recursion_depth", None)) is not None:  # of an ExternalTaskMarker
        spec.attributes["recursion_depth"] = int(depth)
    function = getattr(task, "python_callable", None) if shared is None else shared.get("python_callable")
    if function is not None:
        spec.attributes["python_callable"] = values.code(function)
