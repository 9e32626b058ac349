"""Decides how an order for a bulk action is read: its kind, its options and its filters, which are those of the lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from dags_app.dag_filters import FILTERS, SEARCH, dags, tag_filter
from dags_app.models import Dag
from orchestrator.kernel.clock import utcnow
from orchestrator.rest.bodies import Values
from orchestrator.rest.errors import EXTRA, InvalidError, NotFoundError, ProblemError
from orchestrator.rest.params import Param, Params, equal, one_of, params
from orchestrator.sdk.serialization.spec import DagSpec
from runs import instance_filters, run_filters
from runs.bulk.kinds import KINDS, Kind, Target, body_of
from runs.clear_scope import ClearScope
from runs.clear_selection import spec_for_run
from runs.models import DagRun, TaskInstance
from runs.rerun_versions import newest_spec

ANY = "~"
_NAMED = (
    *(one_of("dag_ids", "dag_id"), one_of("dag_run_ids", "run_id")),
    *(equal("dag_id", "dag_id"), equal("dag_run_id", "run_id")),
)
RUNS_BY_NAME = params(*_NAMED)
INSTANCES = params(*_NAMED, one_of("task_ids", "task_id"), *instance_filters.OF_ANY_TASK, *instance_filters.BY_NAME)
RUNS = params(*_NAMED, *run_filters.OF_RUNS, *run_filters.BY_NAME)
# Favourites are a person's; an order names them (runs/pages/bulk_form.py).
_OF_DAGS = [param for param in FILTERS if param.name != "is_favorite"]
DAGS = params(one_of("dag_ids", "dag_id"), equal("dag_id", "dag_id"), SEARCH, _OF_DAGS)
_FILTERS: Mapping[str, Params] = {Target.TASK_INSTANCES: INSTANCES, Target.DAG_RUNS: RUNS, Target.DAGS: DAGS}

_EMPTY = ProblemError("value_error", "Value error, a filter needs a value; leave it out to choose whatever it is", {"error": {}})


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for; a row of ``BulkAction`` has the same fields."""

    kind: str
    target: str
    selection: dict[str, Any]
    options: dict[str, Any]


def kind_of(order: Any) -> Kind:
    """Return the kind of an order or of a row."""
    return KINDS[Target(order.target)][order.kind]


def read_order(target: str, kind: str, filters: Any, items: Any, options: Any) -> Order:
    """Return the order that a document asks for; what is kept are its own words, checked.

    Raises:
        InvalidError: an unknown kind, option or filter, or a value that none can have; it says where.
        RestError: filters that contradict each other, as in the lists.
        NotFoundError: a task group that the DAG does not have.
    """
    known = KINDS[Target(target)]
    if kind not in known:
        problem = ProblemError("enum", f"Input should be one of {', '.join(known)} for {target}", {"expected": ", ".join(known)})
        raise InvalidError([problem.at(["body", "kind"], kind)])
    given = body_of(known[kind]).read_document(options or {}, ("body", "options"))
    if (until := given.get("until")) is not None and until <= utcnow():
        raise _invalid("the time is past: name one to come, or none", ["options", "until"], until)
    if (filters is None) == (items is None):
        raise _invalid("Exactly one of filters and items must be provided.", [], {"filters": filters, "items": items})
    selection = {"items": items} if items is not None else {"filters": _checked(target, filters)}
    if given.get("dag_version") is not None and not _is_of_one_dag(selection):
        raise _invalid("a number means a version of one DAG: name it", ["options", "dag_version"], given["dag_version"])
    return Order(kind, target, selection, _kept(options or {}, given))


def _checked(target: str, filters: Any) -> dict[str, Any]:
    if not filters:
        raise _invalid('Name at least one filter; {"dag_id": "~"} means everything.', ["filters"], filters)
    narrowed(target, filters)
    return _without_groups(filters)


def _kept(options: Mapping[str, Any], given: Values) -> dict[str, Any]:
    """Return the options as given, but a configuration as an object: in its text nobody would find the secrets to mask."""
    return dict(options) | ({"conf": given["conf"]} if "conf" in options else {})


def _is_of_one_dag(selection: Mapping[str, Any]) -> bool:
    if "items" in selection:
        return len({item["dag_id"] for item in selection["items"]}) == 1
    named = (selection["filters"].get(name) for name in ("dag_id", "dag_ids"))
    return any(found not in (None, ANY) and (isinstance(found, str) or len(found) == 1) for found in named)


def options_of(order: Any) -> Values:
    """Return the options of an order or of a row, with defaults."""
    return body_of(kind_of(order)).read_document(order.options, ("body", "options"))


def read_filters(target: str, filters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of filters by name; a repeatable one takes a list or a single value. Raises ``InvalidError``."""
    if not isinstance(filters, dict):
        raise _invalid("Input should be a JSON object of filters", ["filters"], filters)
    known = {param.name: param for param in _FILTERS[target].items}
    problems = [EXTRA.at(["body", "filters", name], value) for name, value in filters.items() if name not in known]
    values = {name: _value(known[name], value, problems) for name, value in filters.items() if name in known}
    if problems:
        raise InvalidError(problems)
    return {name: value for name, value in values.items() if not (name in ("dag_id", "dag_run_id") and value == ANY)}


def narrowed(target: str, filters: Mapping[str, Any]) -> QuerySet[Any]:
    """Return the items that pass the filters. Raises ``RestError`` where they contradict each other."""
    values = read_filters(target, filters)
    if target == Target.DAGS:
        return tag_filter(DAGS.narrow(dags(), {"exclude_stale": True} | values), values)
    if target == Target.TASK_INSTANCES:
        return INSTANCES.narrow(TaskInstance.objects.all(), values)
    first, last = values.get("partition_date_gte"), values.get("partition_date_lte")
    dag = Dag.objects.filter(pk=values.get("dag_id")).first() if first or last else None
    rows = run_filters.of_partition_days(run_filters.with_duration(DagRun.objects.all()), dag, first, last)
    return RUNS.narrow(rows, values)


def _value(param: Param, given: Any, problems: list[dict[str, Any]]) -> Any:
    if given in ("", [], None):
        # The lists pass such a filter over; here that would mean everything.
        problems.append(_EMPTY.at(["body", "filters", param.name], given))
        return None
    try:
        if not param.many:
            return param.parse(given)
        return [param.parse(item) for item in (given if isinstance(given, list) else [given])]
    except ProblemError as problem:
        problems.append(problem.at(["body", "filters", param.name], given))
        return None


def _without_groups(filters: dict[str, Any]) -> dict[str, Any]:
    """Name the tasks of a task group, as it is when the order is given."""
    group_id = filters.get("task_group_id")
    if group_id is None:
        return filters
    members = ClearScope(_spec(filters)).group_members(group_id)
    if members is None:
        raise NotFoundError({"reason": "not_found", "message": f"Task group {group_id} not found"})
    named: Sequence[str] = sorted(members)
    if given := filters.get("task_ids"):
        named = [task_id for task_id in (given if isinstance(given, list) else [given]) if task_id in members]
    return {name: value for name, value in filters.items() if name != "task_group_id"} | {"task_ids": named or [""]}


def _spec(filters: Mapping[str, Any]) -> DagSpec:
    dag_id, run_id = filters.get("dag_id", ANY), filters.get("dag_run_id", ANY)
    run = DagRun.objects.filter(dag_id=dag_id, run_id=run_id).first()
    dag = Dag.objects.filter(pk=dag_id).first()
    return spec_for_run(run) if run is not None else newest_spec(dag or Dag(dag_id=dag_id))


def _invalid(message: str, where: list[str | int], value: Any) -> InvalidError:
    return InvalidError([ProblemError("value_error", f"Value error, {message}", {"error": {}}).at(["body", *where], value)])
