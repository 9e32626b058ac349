"""Decides what a serialized DAG is: the one document that crosses from the author's half to the server's half.

The parse child fills a ``DagSpec`` from the author's objects and prints ``to_json``; the server stores it and reads it
back with ``from_json``. Only JSON types are stored: durations are float seconds, instants are ISO-8601 strings in
UTC (``...Z``), enums are their values, sets are sorted lists. Fields added later get a default, so that an older
stored document still loads; ``SCHEMA`` grows when a field changes its meaning.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

SCHEMA = 1

Json = Any


@dataclass(slots=True)
class ExpandSpec:
    """How a mapped task gets its indexes.

    ``kind`` is ``"dict"`` (``expand(a=..., b=...)``: cartesian product of the arguments in order) or ``"list"``
    (``expand_kwargs``). Each value in ``arguments`` is a tagged JSON value: ``{"literal": [...]}``, or
    ``{"xcom": <XComArg reference>}`` as produced by the encoder (``task_id``, ``key``, and for map/zip/concat/filter
    the nested form). ``length`` is the number of indexes when it is known at parse time, else None.
    """

    kind: str = "dict"
    arguments: dict[str, Json] = field(default_factory=dict)
    length: int | None = None


@dataclass(slots=True)
class TaskSpec:
    """One task (or mapped task) of a DAG, as far as the server must know it."""

    task_id: str
    task_type: str = "BaseOperator"  # class name, as shown by Airflow's `operator`
    task_module: str = ""
    operator_name: str = ""  # shown name (custom_operator_name), e.g. "@task"
    task_display_name: str = ""
    label: str = ""  # task_id without the group prefix
    owner: str = "airflow"
    upstream_task_ids: list[str] = field(default_factory=list)
    downstream_task_ids: list[str] = field(default_factory=list)
    task_group_id: str | None = None  # None: the root group
    trigger_rule: str = "all_success"
    is_setup: bool = False
    is_teardown: bool = False
    on_failure_fail_dagrun: bool = False
    is_mapped: bool = False  # has its own expand()
    expand: ExpandSpec | None = None
    mapped_group_id: str | None = None  # nearest enclosing *mapped* task group
    retries: int = 0
    retry_delay: float = 300.0
    retry_exponential_backoff: float = 0.0  # 0: off; else the multiplier (True means 2.0)
    max_retry_delay: float | None = None
    retry_policy: Json = None
    execution_timeout: float | None = None
    start_date: str | None = None
    end_date: str | None = None
    depends_on_past: bool = False
    ignore_first_depends_on_past: bool = True
    wait_for_downstream: bool = False
    wait_for_past_depends_before_skipping: bool = False
    pool: str = "default_pool"
    pool_slots: int = 1
    priority_weight: int = 1
    weight_rule: str = "downstream"
    priority_weight_total: int = 1  # effective weight by the rule, computed at parse time
    queue: str = "default"
    executor: str | None = None
    executor_config: Json = None
    max_active_tis_per_dag: int | None = None
    max_active_tis_per_dagrun: int | None = None
    run_as_user: str | None = None
    do_xcom_push: bool = True
    multiple_outputs: bool = False
    inlets: list[Json] = field(default_factory=list)
    outlets: list[Json] = field(default_factory=list)
    template_fields: list[str] = field(default_factory=list)
    template_ext: list[str] = field(default_factory=list)
    template_fields_renderers: dict[str, str] = field(default_factory=dict)
    params: Json = field(default_factory=dict)
    ui_color: str = "#fff"
    ui_fgcolor: str = "#000"
    doc: str | None = None
    doc_md: str | None = None
    doc_json: str | None = None
    doc_yaml: str | None = None
    doc_rst: str | None = None
    map_index_template: str | None = None
    email: Json = None
    email_on_failure: bool = True
    email_on_retry: bool = True
    is_sensor: bool = False
    reschedule: bool = False  # sensor in reschedule mode
    deferrable: bool = False
    is_empty: bool = False  # EmptyOperator without callbacks/outlets: succeeds without a process
    start_trigger_args: Json = None
    start_from_trigger: bool = False
    branches: bool = False  # a branch operator / short circuit
    has_on_execute_callback: bool = False
    has_on_failure_callback: bool = False
    has_on_success_callback: bool = False
    has_on_retry_callback: bool = False
    has_on_skipped_callback: bool = False
    alerts: Json = None  # built-in notifiers: {"on_failure_callback": {"items": [{"index", "path", "kwargs"}], "only"}}
    deadline: Json = None  # list of serialized deadline alerts
    extra_links: list[str] = field(default_factory=list)
    extra_link_keys: dict[str, str] = field(default_factory=dict)  # name of a link → key of the XCom with its address
    weight: Json = None
    by_try: list[Json] = field(default_factory=list)  # queue and priority_weight of each try, where they differ
    by_run_type: dict[str, Json] = field(default_factory=dict)  # fields that differ in runs of a kind, by that kind
    attributes: dict[str, Json] = field(default_factory=dict)  # rendered-for-display values of template fields

    def in_run(self, run_type: str) -> TaskSpec:
        """Return the task as runs of that kind have it."""
        values = self.by_run_type.get(run_type)
        return replace(self, **values) if values else self


@dataclass(slots=True)
class TaskGroupSpec:
    """A task group, mapped or not; the root group has ``group_id`` None."""

    group_id: str | None
    parent_id: str | None = None
    label: str = ""
    display_name: str = ""
    tooltip: str = ""
    doc_md: str | None = None
    prefix_group_id: bool = True
    ui_color: str = "CornflowerBlue"
    ui_fgcolor: str = "#000"
    children: list[str] = field(default_factory=list)  # ids of tasks and groups in definition order
    upstream_group_ids: list[str] = field(default_factory=list)
    downstream_group_ids: list[str] = field(default_factory=list)
    upstream_task_ids: list[str] = field(default_factory=list)
    downstream_task_ids: list[str] = field(default_factory=list)
    is_mapped: bool = False
    expand: ExpandSpec | None = None
    deadline: Json = None


@dataclass(slots=True)
class DagSpec:
    """A whole DAG."""

    dag_id: str
    schema: int = SCHEMA
    dag_display_name: str = ""
    description: str | None = None
    doc_md: str | None = None
    fileloc: str = ""
    relative_fileloc: str = ""
    tags: list[str] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)
    owner_links: dict[str, str] = field(default_factory=dict)
    timezone: str = "UTC"
    start_date: str | None = None
    end_date: str | None = None
    timetable: Json = field(default_factory=lambda: {"type": "NullTimetable"})  # encode_timetable()
    timetable_summary: str | None = None
    timetable_description: str | None = None
    catchup: bool = False
    max_active_tasks: int = 16
    max_active_runs: int = 16
    max_consecutive_failed_dag_runs: int = 0
    dagrun_timeout: float | None = None
    is_paused_upon_creation: bool | None = None
    fail_fast: bool = False
    default_args: Json = field(default_factory=dict)
    params: Json = field(default_factory=dict)  # name -> {"value", "description", "schema"}
    render_template_as_native_obj: bool = False
    template_searchpath: list[str] = field(default_factory=list)
    has_on_success_callback: bool = False
    has_on_failure_callback: bool = False
    alerts: Json = None
    access_control: Json = None
    deadline: Json = None
    allowed_run_types: list[str] | None = None
    rerun_with_latest_version: bool | None = None
    overlap_policy: str = "allow"  # what a due run does while another one is unfinished
    on_unpause: str | None = None  # none, last or all of the missed intervals; None: as the schedule says
    retry_rules: list[Json] = field(default_factory=list)  # on the causes of failures
    event_policy: str = "batch"  # what a run takes of the asset events that wait
    event_window: float | None = None  # seconds; with event_policy "window"
    disable_bundle_versioning: bool = False
    tasks: list[TaskSpec] = field(default_factory=list)  # topological order, ties by definition order
    task_groups: list[TaskGroupSpec] = field(default_factory=list)  # root first
    edge_info: dict[str, dict[str, Json]] = field(default_factory=dict)  # up -> down -> {"label": ...}
    asset_condition: Json = None
    dependencies: list[Json] = field(default_factory=list)  # cross-DAG: trigger, sensor, asset

    def task_by_id(self) -> dict[str, TaskSpec]:
        """Return a new mapping of task id to task."""
        return {task.task_id: task for task in self.tasks}


# Left out where usual, so that a DAG without them has the document that it always had.
_ADDED: tuple[tuple[str, Json], ...] = (("alerts", None), ("event_policy", "batch"), ("event_window", None))


def to_json(dag: DagSpec) -> dict[str, Json]:
    """Return the document as plain JSON types; values equal to the default are left out of tasks and groups."""
    document = {f.name: getattr(dag, f.name) for f in fields(dag)}
    for name, usual in _ADDED:
        if document[name] == usual:
            del document[name]
    document["tasks"] = [_sparse(task) for task in dag.tasks]
    document["task_groups"] = [_sparse(group) for group in dag.task_groups]
    return document


def from_json(document: dict[str, Json]) -> DagSpec:
    """Read a document back; unknown keys of a newer writer are ignored.

    Raises ``KeyError``/``TypeError``/``ValueError`` on a document that is not one of ours: the caller isolates it.
    """
    if document.get("schema", 0) > SCHEMA:
        raise ValueError(f"serialized DAG has schema {document['schema']}, this version reads up to {SCHEMA}")
    values = _known(DagSpec, document)
    values["tasks"] = [_task(item) for item in document["tasks"]]
    values["task_groups"] = [_group(item) for item in document.get("task_groups", [])]
    return DagSpec(**values)


def _task(item: dict[str, Json]) -> TaskSpec:
    values = _known(TaskSpec, item)
    if values.get("expand") is not None:
        values["expand"] = ExpandSpec(**_known(ExpandSpec, values["expand"]))
    return TaskSpec(**values)


def _group(item: dict[str, Json]) -> TaskGroupSpec:
    values = _known(TaskGroupSpec, item)
    if values.get("expand") is not None:
        values["expand"] = ExpandSpec(**_known(ExpandSpec, values["expand"]))
    return TaskGroupSpec(**values)


def _known(kind: type, item: dict[str, Json]) -> dict[str, Json]:
    names = _NAMES[kind]
    return {name: value for name, value in item.items() if name in names}


def _sparse(item: TaskSpec | TaskGroupSpec) -> dict[str, Json]:
    empty = _EMPTY[type(item)]
    return {name: value for name, value in asdict(item).items() if name not in empty or value != empty[name]}


_NAMES: dict[type, set[str]] = {kind: {f.name for f in fields(kind)} for kind in (DagSpec, TaskSpec, TaskGroupSpec, ExpandSpec)}
_EMPTY = {
    TaskSpec: {k: v for k, v in asdict(TaskSpec(task_id="")).items() if k != "task_id"},
    TaskGroupSpec: {k: v for k, v in asdict(TaskGroupSpec(group_id=None)).items() if k != "group_id"},
}
