"""Decides by which filters task instances are chosen, in lists and for bulk actions."""

from django.db.models import Case, CharField, F, When
from django.db.models.functions import Cast

from orchestrator.rest import scalars
from orchestrator.rest.params import Param, between, equal, matching, one_of, states
from runs.states import TaskInstanceState

# What the API shows as the rendered map index: the number, where the author gave no text.
_SHOWN_MAP_INDEX = Case(
    When(rendered_map_index__gt="", then=F("rendered_map_index")),
    When(map_index__gte=0, then=Cast("map_index", CharField())),
    output_field=CharField(),
)
_TIMES = {"run_after": "dag_run__run_after", "logical_date": "dag_run__logical_date"}
OF_ANY_TASK: tuple[Param | list[Param], ...] = (
    *(between(name, path) for name, path in _TIMES.items()),
    *(between(name, name) for name in ("start_date", "end_date", "updated_at")),
    between("duration", "duration", scalars.number),
    states("state", "state", tuple(TaskInstanceState), "state", none=True),
    one_of("pool", "pool"),
    matching("pool_name", "pool"),
    one_of("queue", "queue"),
    matching("queue_name", "queue"),
    one_of("executor", "executor"),
    one_of("version_number", "dag_version__version_number", scalars.integer),
    one_of("try_number", "try_number", scalars.integer),
    one_of("operator", "operator"),
    matching("operator_name", "custom_operator_name"),
    one_of("map_index", "map_index", scalars.integer),
    matching("rendered_map_index", "shown_map_index", shown_map_index=_SHOWN_MAP_INDEX),
)
BY_NAME: tuple[Param | list[Param], ...] = (
    equal("task_id", "task_id"),
    matching("task_display_name", "task_display_name"),
    # Applied with the DAG's document at hand, by whoever uses the filter.
    Param("task_group_id"),
    matching("dag_id", "dag_id"),
    matching("run_id", "run_id"),
)
