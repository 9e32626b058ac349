"""Decides which items an order means, a page of whole runs at a time, with what a clear takes along (docs/clearing.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from itertools import groupby
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from dags_app.selectors import SpecUnreadableError, spec_of
from runs.bulk import dag_selection
from runs.bulk.found import Foreseen, Item, RunItems
from runs.bulk.kinds import Target, has_instances
from runs.bulk.requests import RUNS_BY_NAME, narrowed, options_of, read_filters
from runs.clear_scope import Chosen, ClearScope
from runs.clear_selection import named, versions_for_runs
from runs.models import DagRun, TaskInstance
from runs.states import FAILED_STATES

# A page looks at so many runs and finds about so many items, so that none takes long, however large the history is.
RUNS_AT_ONCE = 500
PAGE = 2000
_COLUMNS = ("dag_run_id", "dag_id", "run_id", "task_id", "map_index", "pk", "state")
# What a run weighs at least, by kind: new tasks come with a version of the DAG that is read, and with the run's state.
_LEAST = {"run_new_tasks": 10}
# An OR of many places is slow to plan; a page of named items asks so many times.
_AT_ONCE = 200


def pages(order: Any) -> Iterator[list[RunItems]]:
    """Yield everything that an order means."""
    after: int | None = 0
    while after is not None:
        found, after = page_after(order, after)
        yield found


def page_after(order: Any, after: int) -> tuple[list[RunItems], int | None]:
    """Return what an order means of the next runs above the key ``after``, and where the next page begins; None at the end."""
    if order.target == Target.DAGS:
        return dag_selection.chosen(order), None
    window = list(_candidates(order).filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:RUNS_AT_ONCE])
    end = window[-1] if len(window) == RUNS_AT_ONCE else None
    if not has_instances(order.target, order.kind):
        return _page_of_runs(_runs(order).filter(pk__in=window), _LEAST.get(order.kind, 1)), end
    rows, last = _page_of_instances(_instances(order).filter(dag_run_id__in=window))
    found = _by_run(rows)
    return (_with_relatives(order, found) if order.kind == "clear" else found), last if last is not None else end


def _candidates(order: Any) -> QuerySet[DagRun]:
    """Return the runs that are looked at: the chosen ones, or those that the filters of task instances name."""
    if order.target == Target.DAG_RUNS:
        return _runs(order)
    if "items" in order.selection:
        return DagRun.objects.filter(pk__in=_named_runs(order).values())
    values = read_filters(Target.TASK_INSTANCES, order.selection["filters"])
    return RUNS_BY_NAME.narrow(DagRun.objects.all(), values)


def foreseen(order: Any) -> Foreseen:
    """Count what an order would touch, without changing anything. Raises ``RestError`` as the filters do."""
    if order.target == Target.DAGS:
        return dag_selection.foreseen(order)
    if order.kind == "clear":
        return _walked(order)
    rows = _instances(order) if has_instances(order.target, order.kind) else _runs(order)
    grouped = rows.order_by().values_list("state").annotate(number=Count("pk"))
    by_state = {state or "none": number for state, number in grouped}
    run = "dag_run_id" if has_instances(order.target, order.kind) else "pk"
    return Foreseen(by_state, rows.order_by().values(run).distinct().count())


def foreseen_within(order: Any, most: int, most_runs: int) -> tuple[Foreseen, bool]:
    """Count what an order would touch in bounded time; False where it would be more than ``most`` and the count stopped there.

    What a clear takes along is counted where no more than ``most_runs`` runs have to be looked at.
    """
    if order.target == Target.DAGS:
        return dag_selection.foreseen(order), True
    is_of_instances = has_instances(order.target, order.kind)
    rows = _instances(order) if is_of_instances else _runs(order)
    found = list(rows.order_by().values_list("state", "dag_run_id" if is_of_instances else "pk")[: most + 1])
    counted = Foreseen(dict(Counter(state or "none" for state, _ in found[:most])), len({run for _, run in found[:most]}))
    is_all = len(found) <= most
    if order.kind == "clear" and is_all and len(_candidates(order).order_by().values("pk")[: most_runs + 1]) <= most_runs:
        return _walked(order), True
    return counted, is_all


def _walked(order: Any) -> Foreseen:
    states: Counter[str] = Counter()
    runs = 0
    for page in pages(order):
        runs += len(page)
        states.update(item.state or "none" for run in page for item in run.items)
    return Foreseen(dict(states), runs)


def missing(order: Any) -> list[str]:
    """Return the named items that do not exist, at most five of them."""
    asked = order.selection.get("items")
    if asked is None:
        return []
    if order.target == Target.DAGS:
        return dag_selection.missing(order)[:5]
    is_task = order.target == Target.TASK_INSTANCES
    rows = _named_rows(order)
    columns = ("dag_id", "run_id", "task_id", "map_index") if is_task else ("dag_id", "run_id")
    there = set(rows.values_list(*columns))
    wanted = [(item["dag_id"], item["dag_run_id"], *_place(item, is_task)) for item in asked]
    return [" ".join(map(str, key)) for key in wanted if key not in there][:5]


def _place(item: dict[str, Any], is_task: bool) -> tuple[Any, ...]:
    return (item["task_id"], item.get("map_index", -1)) if is_task else ()


def _runs(order: Any) -> QuerySet[DagRun]:
    return _named_rows(order) if "items" in order.selection else narrowed(Target.DAG_RUNS, order.selection["filters"])


def _instances(order: Any) -> QuerySet[TaskInstance]:
    if order.target == Target.DAG_RUNS:
        of_runs = TaskInstance.objects.filter(dag_run__in=_runs(order).values("pk"))
        return of_runs.filter(state__in=FAILED_STATES) if options_of(order)["only_failed"] else of_runs
    return _named_rows(order) if "items" in order.selection else narrowed(Target.TASK_INSTANCES, order.selection["filters"])


def _named_rows(order: Any) -> QuerySet[Any]:
    """The items that are named by their ids."""
    pks = _named_runs(order)
    if order.target == Target.DAG_RUNS:
        return DagRun.objects.filter(pk__in=set(pks.values()))
    places: dict[int, set[tuple[str, int]]] = {}
    for item in order.selection["items"]:
        if (pk := pks.get((item["dag_id"], item["dag_run_id"]))) is not None:
            places.setdefault(pk, set()).add((item["task_id"], item.get("map_index", -1)))
    return _at_places(places)


def _named_runs(order: Any) -> dict[tuple[str, str], int]:
    """Return the keys of the runs that the items name."""
    runs: dict[str, set[str]] = {}
    for item in order.selection["items"]:
        runs.setdefault(item["dag_id"], set()).add(item["dag_run_id"])
    of_runs = reduce(or_, (Q(dag_id=dag_id, run_id__in=sorted(ids)) for dag_id, ids in sorted(runs.items())))
    keys = DagRun.objects.filter(of_runs).values_list("dag_id", "run_id", "pk")
    return {(dag_id, run_id): pk for dag_id, run_id, pk in keys}


def _at_places(places: dict[int, set[tuple[str, int]]]) -> QuerySet[TaskInstance]:
    """Runs in which the same places are named share one condition."""
    together: dict[frozenset[tuple[str, int]], list[int]] = {}
    for pk, some in places.items():
        together.setdefault(frozenset(some), []).append(pk)
    found: set[Any] = set()
    groups = list(together.items())
    for start in range(0, len(groups), _AT_ONCE):
        wanted = (Q(dag_run_id__in=pks) & named(Chosen(indexes=set(keys))) for keys, pks in groups[start : start + _AT_ONCE])
        found.update(TaskInstance.objects.filter(reduce(or_, wanted)).values_list("pk", flat=True))
    return TaskInstance.objects.filter(pk__in=found)


def _page_of_runs(rows: QuerySet[DagRun], least: int) -> list[RunItems]:
    found = list(rows.order_by("pk").values_list("pk", "dag_id", "run_id", "state"))
    counted = TaskInstance.objects.filter(dag_run_id__in=[row[0] for row in found]).order_by()
    weights = dict(counted.values_list("dag_run_id").annotate(number=Count("pk")))
    return [RunItems(*row, weight=max(least, weights.get(row[0], 0))) for row in found]


def _page_of_instances(rows: QuerySet[TaskInstance]) -> tuple[list[tuple[Any, ...]], int | None]:
    """Return the rows of whole runs only, and the last of these where there are more.

    Where the page ends inside of a run, that run is left to the next page, or read whole if it is alone.
    """
    ordered = rows.order_by("dag_run_id", "task_id", "map_index").values_list(*_COLUMNS)
    found = list(ordered[:PAGE])
    if len(found) < PAGE:
        return found, None
    last = found[-1][0]
    whole = [row for row in found if row[0] != last]
    return (whole, whole[-1][0]) if whole else (list(ordered.filter(dag_run_id=last)), last)


def _by_run(rows: Iterable[tuple[Any, ...]]) -> list[RunItems]:
    page = []
    for (pk, dag_id, run_id), some in groupby(rows, key=lambda row: row[:3]):
        items = tuple(Item(task_id, index, str(ti_id), state) for *_, task_id, index, ti_id, state in some)
        page.append(RunItems(pk, dag_id, run_id, "", items, len(items)))
    return page


def _with_relatives(order: Any, found: Sequence[RunItems]) -> list[RunItems]:
    """Add setups, teardowns and what is asked above and below, so that each is cleared once, with the others of its run."""
    options = options_of(order)
    reach = {"upstream": bool(options.get("include_upstream")), "downstream": bool(options.get("include_downstream"))}
    runs = DagRun.objects.in_bulk([run.pk for run in found])
    versions = versions_for_runs(list(runs.values()))
    scopes = {version: _scope(version) for version in set(versions.values())}
    wider: dict[int, Chosen] = {}
    for run in found:
        scope = scopes.get(versions.get(run.pk))
        if scope is not None and (scope.has_scopes or any(reach.values())):
            chosen = Chosen(indexes={(item.task_id, item.map_index) for item in run.items})
            wider[run.pk] = scope.reach(chosen, **reach, one_run=True)
    return _read_wider(found, wider) if wider else list(found)


def _scope(version: UUID | None) -> ClearScope | None:
    """Return the relations of a version's tasks; None where it cannot be read: nothing is added then."""
    try:
        return ClearScope(spec_of(version)) if version is not None else None
    except SpecUnreadableError:
        return None


def _read_wider(found: Sequence[RunItems], wider: dict[int, Chosen]) -> list[RunItems]:
    rows = TaskInstance.objects.filter(dag_run_id__in=list(wider)).order_by("dag_run_id", "task_id", "map_index")
    held = (row for row in rows.values_list(*_COLUMNS).iterator() if wider[row[0]].holds(row[3], row[4]))
    read = {run.pk: run for run in _by_run(held)}
    return [read.get(run.pk, run) for run in found]
