"""Decides what a DAG is: its settings, the tasks in it, and how it registers itself with the file that defines it."""

from __future__ import annotations

import copy
import functools
import inspect
import os
from collections.abc import Collection, Iterable, MutableMapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from orchestrator.sdk.definitions import dag_checks
from orchestrator.sdk.definitions.contexts import DagContext, TaskGroupContext
from orchestrator.sdk.definitions.dag_extensions import take_event_policy, take_extensions
from orchestrator.sdk.definitions.dag_local import LocalRuns
from orchestrator.sdk.definitions.dag_views import DagViews
from orchestrator.sdk.definitions.node import validate_key
from orchestrator.sdk.definitions.param import DagParam
from orchestrator.sdk.definitions.sentinels import NOTSET
from orchestrator.sdk.definitions.task_group import TaskGroup
from orchestrator.sdk.exceptions import DuplicateTaskIdFound, TaskNotFound

if TYPE_CHECKING:
    from orchestrator.sdk.definitions.operator import BaseOperator


class DAG(DagViews, LocalRuns):
    """A graph of tasks with a schedule."""

    overlap_policy: str
    on_unpause: str | None
    retry_rules: list[dict[str, Any]]
    event_policy: str
    event_window: float | None

    def __init__(
        self,
        dag_id: str,
        *,
        description: str | None = None,
        default_args: dict[str, Any] | None = None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        schedule: Any = None,
        template_searchpath: str | Iterable[str] | None = None,
        template_undefined: Any = None,
        user_defined_macros: dict[str, Any] | None = None,
        user_defined_filters: dict[str, Any] | None = None,
        max_active_tasks: int = NOTSET,  # type: ignore[assignment]
        max_active_runs: int = NOTSET,  # type: ignore[assignment]
        max_consecutive_failed_dag_runs: int = NOTSET,  # type: ignore[assignment]
        dagrun_timeout: timedelta | None = None,
        deadline: Any = None,
        sla_miss_callback: None = None,
        catchup: bool = NOTSET,  # type: ignore[assignment]
        on_success_callback: Any = None,
        on_failure_callback: Any = None,
        doc_md: str | None = None,
        params: MutableMapping[str, Any] | None = None,
        access_control: Any = None,
        is_paused_upon_creation: bool | None = None,
        jinja_environment_kwargs: dict[str, Any] | None = None,
        render_template_as_native_obj: bool = False,
        tags: Collection[str] | None = None,
        owner_links: dict[str, str] | None = None,
        auto_register: bool = True,
        fail_fast: bool = False,
        allowed_run_types: Any = None,
        dag_display_name: str | None = None,
        task_group: Any = None,
        disable_bundle_versioning: bool = NOTSET,  # type: ignore[assignment]
        rerun_with_latest_version: bool | None = None,
        overlap_policy: str = "allow",
        on_unpause: str | None = None,
        retry_rules: list[dict[str, Any]] | None = None,
        event_policy: str = "batch",
        event_window: timedelta | float | None = None,
    ) -> None:
        validate_key(dag_id, "dag_id")
        self.dag_id, self.description = dag_id, description
        self.dag_display_name = dag_display_name or dag_id
        self.default_args = copy.copy(default_args) if default_args else {}
        self.params = dag_checks.merge_params(params, self.default_args)
        self.fileloc = _author_file()
        self._take_dates(start_date, end_date)
        self.schedule, self.timetable = schedule, dag_checks.timetable(schedule, self)
        self.template_searchpath = dag_checks.as_tuple(template_searchpath)
        self.template_undefined = template_undefined
        self.user_defined_macros, self.user_defined_filters = user_defined_macros, user_defined_filters
        self.jinja_environment_kwargs = jinja_environment_kwargs
        self.render_template_as_native_obj = render_template_as_native_obj
        self._take_limits(max_active_tasks, max_active_runs, max_consecutive_failed_dag_runs, catchup, disable_bundle_versioning)
        self.dagrun_timeout = dag_checks.dagrun_timeout(dagrun_timeout, dag_id)
        self.deadline = dag_checks.as_list_or_none(deadline)
        self.on_success_callback, self.on_failure_callback = on_success_callback, on_failure_callback
        self.doc_md = dag_checks.read_doc(doc_md, self.fileloc)
        self.access_control = access_control
        self.is_paused_upon_creation = is_paused_upon_creation
        self.tags = dag_checks.tags(tags, dag_id)
        self.owner_links = dag_checks.owner_links(owner_links, dag_id)
        self.auto_register, self.fail_fast = auto_register, fail_fast
        self.allowed_run_types = dag_checks.allowed_run_types(allowed_run_types, dag_id)
        self.rerun_with_latest_version = rerun_with_latest_version
        take_extensions(self, overlap_policy, on_unpause, retry_rules)
        take_event_policy(self, event_policy, event_window)
        dag_checks.refuse_sla_callback(sla_miss_callback, dag_id)
        dag_checks.check_types(self)
        self.task_dict: dict[str, Any] = {}
        self.edge_info: dict[str, dict[str, Any]] = {}
        self.last_suffixes: dict[str, int] = {}  # last number given to a repeated task id
        self.task_group: TaskGroup = task_group or TaskGroup.create_root(self)

    def _take_dates(self, start_date: Any, end_date: Any) -> None:
        from orchestrator.sdk import timezone

        start = start_date if start_date is not None else self.default_args.get("start_date")
        start = timezone.as_datetime(start, f"start_date of DAG {self.dag_id!r}")
        self.timezone = timezone.zone_of_date(start)
        end = timezone.as_datetime(end_date, f"end_date of DAG {self.dag_id!r}")
        self.start_date, self.end_date = timezone.convert_to_utc(start), timezone.convert_to_utc(end)
        if self.timezone is None:
            self.timezone = timezone.utc if start is None else timezone.default_timezone()
        for name in ("start_date", "end_date"):
            if name in self.default_args:
                value = timezone.as_datetime(self.default_args[name], f"default_args[{name!r}] of DAG {self.dag_id!r}")
                self.default_args[name] = timezone.convert_to_utc(value)

    def _take_limits(self, tasks: Any, runs: Any, failed: Any, catchup: Any, versioning: Any) -> None:
        read = dag_checks.setting
        self.max_active_tasks = read(tasks, "max_active_tasks_per_dag", 16)
        self.max_active_runs = dag_checks.max_active_runs(read(runs, "max_active_runs_per_dag", 16), self)
        self.max_consecutive_failed_dag_runs = read(failed, "max_consecutive_failed_dag_runs_per_dag", 0)
        self.catchup = read(catchup, "catchup_by_default", False, "scheduler")
        self.disable_bundle_versioning = read(versioning, "disable_bundle_versioning", False, "dag_processor")

    def __repr__(self) -> str:
        return f"<DAG: {self.dag_id}>"

    def __lt__(self, other: DAG) -> bool:
        return self.dag_id < other.dag_id

    def __enter__(self) -> DAG:
        DagContext.push(self)
        TaskGroupContext.push(self.task_group)
        return self

    def __exit__(self, *_: Any) -> None:
        TaskGroupContext.pop()
        DagContext.pop()

    @property
    def task(self) -> Any:
        """Return the decorator ``@task`` that puts its tasks in this DAG: ``@dag.task``, ``@dag.task(retries=2)``."""
        from orchestrator.sdk.decorators import task

        return functools.partial(task, dag=self)

    def param(self, name: str, default: Any = NOTSET) -> DagParam:
        """Return a reference to a param, for use as an argument of tasks."""
        return DagParam(current_dag=self, name=name, default=default)

    def add_task(self, task: Any) -> None:
        """Take in a task; raises ``DuplicateTaskIdFound``, or ``ValueError`` for a task of another DAG."""
        task_id = task.node_id
        if task.has_dag() and task.dag is not self:
            raise ValueError(f"Task {task_id!r} is already in DAG {task.dag_id!r}; it cannot be in DAG {self.dag_id!r} too")
        if task_id in self.task_dict and self.task_dict[task_id] is not task:
            raise DuplicateTaskIdFound(f"Task id {task_id!r} is already used in DAG {self.dag_id!r}")
        if task_id in self.task_group.used_group_ids:
            raise DuplicateTaskIdFound(f"Task id {task_id!r} is already the id of a task group in DAG {self.dag_id!r}")
        self.task_dict[task_id] = task
        task._dag = self
        if task.task_group is None:
            self.task_group.add(task)
            task.task_group = self.task_group
        if self.start_date and task.start_date:
            task.start_date = max(task.start_date, self.start_date)
        elif self.start_date and not task.start_date:
            task.start_date = self.start_date
        if self.end_date:
            task.end_date = min(task.end_date, self.end_date) if task.end_date else self.end_date

    def add_tasks(self, tasks: Iterable[Any]) -> None:
        """Take in tasks."""
        for task in tasks:
            self.add_task(task)

    def _remove_task(self, task_id: str) -> None:
        task = self.task_dict.pop(task_id)
        if task.task_group is not None:
            task.task_group._remove(task)

    def has_task(self, task_id: str) -> bool:
        """Return whether there is a task with that id."""
        return task_id in self.task_dict

    def has_task_group(self, task_group_id: str) -> bool:
        """Return whether there is a group with that id."""
        return task_group_id in self.task_group_dict

    def get_task(self, task_id: str, include_subdags: bool = False) -> BaseOperator:
        """Return the task; raises ``TaskNotFound``."""
        try:
            return self.task_dict[task_id]  # type: ignore[no-any-return]
        except KeyError:
            raise TaskNotFound(f"Task {task_id} not found") from None

    def set_dependency(self, upstream_task_id: str, downstream_task_id: str) -> None:
        """Draw an edge between two tasks by id."""
        self.get_task(upstream_task_id).set_downstream(self.get_task(downstream_task_id))

    def get_edge_info(self, upstream_task_id: str, downstream_task_id: str) -> dict[str, Any]:
        """Return what is known about an edge, such as its label."""
        return self.edge_info.get(upstream_task_id, {}).get(downstream_task_id, {})  # type: ignore[no-any-return]

    def set_edge_info(self, upstream_task_id: str, downstream_task_id: str, info: dict[str, Any]) -> None:
        """Store what is known about an edge."""
        self.edge_info.setdefault(upstream_task_id, {})[downstream_task_id] = info

    def topological_sort(self) -> tuple[Any, ...]:
        """Return the tasks, upstream first; raises ``AirflowDagCycleException``."""
        from orchestrator.sdk.definitions.ordering import topological_order

        upstream = {task_id: task.upstream_task_ids for task_id, task in self.task_dict.items()}
        return tuple(self.task_dict[task_id] for task_id in topological_order(self.task_dict, upstream, self.dag_id))

    def check_cycle(self) -> None:
        """Raise ``AirflowDagCycleException`` that spells out a circle, if there is one."""
        self.topological_sort()

    def validate(self) -> None:
        """Check everything that the server relies on; raises an error that says what to change."""
        dag_checks.validate(self)

    def validate_setup_teardown(self) -> None:
        """Raise ``AirflowException`` for edges that setups and teardowns cannot have."""
        dag_checks.validate_setup_teardown(self)

    def add_result(self, xcom_arg: Any) -> Any:
        """Mark the task behind ``xcom_arg`` as the one whose output is the result of a run."""
        xcom_arg.operator.returns_dag_result = True
        return xcom_arg

    def partial_subset(
        self,
        task_ids: str | Iterable[str],
        include_downstream: bool = False,
        include_upstream: bool = True,
        include_direct_upstream: bool = False,
        depth: int | None = None,
    ) -> DAG:
        """Return a copy with only the tasks that match, and their neighbours as asked."""
        from orchestrator.sdk.definitions.dag_subset import subset

        return subset(self, task_ids, include_downstream, include_upstream, include_direct_upstream, depth)

    def get_template_env(self, *, force_sandboxed: bool = False) -> Any:
        """Return the Jinja environment with this DAG's macros, filters and search path."""
        from orchestrator.sdk.execution.templating.environment import environment_for

        return environment_for(self, force_sandboxed=force_sandboxed)

    def resolve_template_files(self) -> None:
        """Replace template fields that name files by their text, in all tasks."""
        for task in self.tasks:
            task.resolve_template_files()

    def __deepcopy__(self, memo: dict[int, Any]) -> DAG:
        other = object.__new__(type(self))
        memo[id(self)] = other
        for name, value in self.__dict__.items():
            shared = name in ("user_defined_macros", "user_defined_filters", "_log")
            setattr(other, name, value if shared else copy.deepcopy(value, memo))
        return other


def _author_file() -> str:
    """Return the file of the nearest caller outside of this package: the DAG file."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
    frame = inspect.currentframe()
    while frame is not None:
        name = frame.f_code.co_filename
        if not os.path.abspath(name).startswith(package):
            return name
        frame = frame.f_back
    return ""
