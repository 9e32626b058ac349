"""Decides which bodies the operations take that clear, mark and batch-read runs and task instances."""

from collections.abc import Iterable
from typing import Any

from orchestrator.rest import scalars
from orchestrator.rest.bodies import Body, Field
from orchestrator.rest.errors import InvalidError, ProblemError
from orchestrator.rest.operations import Call
from orchestrator.rest.params import Param
from orchestrator.rest.scalars import Parser
from runs.states import DagRunState, TaskInstanceState

NOTE = Field(scalars.text_up_to(1000))
_MARKABLE = ("success", "failed", "skipped")


def on(default: bool = False) -> Field:
    """A switch with its default."""
    return Field(scalars.switch, null=False, default=default)


def body_problem(call: Call, message: str) -> InvalidError:
    """Return the refusal of a body whose fields contradict each other."""
    sent = {name: call.body[name] for name in sorted(call.body.given)}
    return InvalidError([ProblemError("value_error", f"Value error, {message}", {"error": {}}).at(["body"], sent)])


def list_of(parse: Parser) -> Parser:
    """Return a parser for a JSON array."""

    def parse_all(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ProblemError("list_type", "Input should be a valid list")
        return [parse_one(number, item) for number, item in enumerate(value)]

    def parse_one(number: int, item: Any) -> Any:
        try:
            return parse(item)
        except ProblemError as problem:
            raise problem.within(number, item) from None

    return parse_all


def marker(value: Any) -> str | tuple[str, int]:
    """Take a task id, or a task id with a map index."""
    if isinstance(value, list):
        if len(value) != 2:
            raise ProblemError("too_short", "A task with its map index is written as [task_id, map_index]")
        return scalars.text(value[0]), scalars.integer(value[1])
    return scalars.text(value)


def markable_state(value: Any) -> str:
    """Take a state that a person may give to a task instance."""
    if value is None:
        raise ProblemError("value_error", "Value error, 'new_state' should not be empty", {"error": {}})
    word = str(value).lower()
    if word not in _MARKABLE:
        raise ProblemError("value_error", f"Value error, '{word}' is not one of {list(_MARKABLE)}", {"error": {}})
    return word


RUN_STATE = Field(scalars.choice("queued", "success", "failed"))
_REACH = {f"include_{where}": on() for where in ("upstream", "downstream", "future", "past")}

CLEAR_INSTANCES = Body(
    "ClearTaskInstancesBody",
    {
        "dry_run": on(True),
        "start_date": Field(scalars.aware_instant),
        "end_date": Field(scalars.aware_instant),
        "only_failed": on(True),
        "only_running": on(),
        "reset_dag_runs": on(True),
        "task_ids": Field(list_of(marker)),
        "dag_run_id": Field(scalars.text),
        **_REACH,
        "run_on_latest_version": Field(scalars.switch),
        "prevent_running_task": on(),
        "note": NOTE,
    },
)
# Ours: with a choice of version, and across DAGs.
CLEAR_ANYTHING = Body(
    "ClearBody", {**CLEAR_INSTANCES.fields, "recursive": on(), "dag_version": Field(scalars.at_least(1)), "only_failed": on()}
)
_CLEAR_RUN = {
    "dry_run": on(True),
    "only_failed": on(),
    "only_new": on(),
    "run_on_latest_version": Field(scalars.switch),
    "note": NOTE,
}
BULK_RUN = Body(
    "BulkDAGRunBody",
    {
        "dag_run_id": Field(scalars.text, required=True, null=False),
        "dag_id": Field(scalars.text),
        "state": RUN_STATE,
        "note": NOTE,
    },
)
_PARTITION = {
    "partition_key": Field(scalars.text),
    "partition_date_start": Field(scalars.instant),
    "partition_date_end": Field(scalars.instant),
}
CLEAR_RUN = Body("DAGRunClearBody", _CLEAR_RUN)
CLEAR_RUNS = Body(
    "BulkDAGRunClearBody",
    {
        **_CLEAR_RUN,
        **_PARTITION,
        "dag_runs": Field(list_of(lambda item: BULK_RUN.read_document(item, ("body", "dag_runs"))), default=[]),
    },
)
CLEAR_PARTITIONS = Body(
    "ClearPartitionsBody", {**_PARTITION, "run_id": Field(scalars.text), "clear_task_instances": on(), "dry_run": on(True)}
)
PATCH_RUN = Body("DAGRunPatchBody", {"state": RUN_STATE, "note": NOTE})
_PATCH = {"new_state": Field(markable_state, null=False), "note": NOTE, **_REACH}
PATCH_INSTANCE = Body("PatchTaskInstanceBody", _PATCH)
BULK_INSTANCE = Body(
    "BulkTaskInstanceBody",
    {
        **_PATCH,
        "task_id": Field(scalars.text, required=True, null=False),
        "map_index": Field(scalars.integer),
        "dag_id": Field(scalars.text),
        "dag_run_id": Field(scalars.text),
    },
)


def _ranges(names: Iterable[str]) -> dict[str, Field]:
    bounds = ("gte", "gt", "lte", "lt")
    instants = {f"{name}_{bound}": Field(scalars.aware_instant) for name in names for bound in bounds}
    return instants | {f"duration_{bound}": Field(scalars.number) for bound in bounds}


def _state_of(words: Iterable[str]) -> Parser:
    parse = scalars.choice(*words)
    return lambda value: None if value is None else parse(value)


_PAGE = {
    "order_by": Field(scalars.text),
    "page_limit": Field(scalars.at_least(0), null=False, default=100),
    "page_offset": Field(scalars.at_least(0), null=False, default=0),
    **_ranges(("run_after", "logical_date", "start_date", "end_date")),
}
RUNS_BATCH = Body(
    "DAGRunsBatchBody",
    {
        **_PAGE,
        "dag_ids": Field(list_of(scalars.text)),
        "states": Field(list_of(_state_of(DagRunState))),
        "conf_contains": Field(scalars.text),
    },
)
INSTANCES_BATCH = Body(
    "TaskInstancesBatchBody",
    {
        **_PAGE,
        **{name: Field(list_of(scalars.text)) for name in ("dag_ids", "dag_run_ids", "task_ids", "pool", "queue", "executor")},
        "state": Field(list_of(_state_of(TaskInstanceState))),
    },
)
UPDATE_MASK = Param("update_mask", many=True)
