"""Decides the steps in which history goes: children before their run, a limited number of rows at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import CASCADE, ForeignKey, ForeignObjectRel, Model, Q, QuerySet

from orchestrator.kernel.faults import fault_point
from runs.models import DagRun, TaskInstance, Trigger, XCom
from runs.retention.old_runs import OldRun, old_runs, still_old
from runs.retention.rules import Rules
from runs.retention.tables import FLAT, Flat, table_name

RUN_TABLE = "dag_run"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows of one table that go in one transaction; ``runs`` are those that they are, or that they belong to by ``run_path``."""

    table: str
    rows: QuerySet[Any]
    runs: tuple[OldRun, ...] = ()
    is_whole_run: bool = False
    run_path: str = "dag_run"


def run_models() -> list[type[Model]]:
    """Return what belongs to runs and goes with them; the attempts last, since others are found by them."""
    return sorted({model for model, _ in children(DagRun)}, key=lambda m: (m is TaskInstance, table_name(m)))


def children(model: type[Model]) -> list[tuple[type[Model], str]]:
    """Return what is deleted with rows of a model, and by which of its columns; also what ``related_name="+"`` hides."""
    return [
        (relation.related_model, relation.field.name)
        for relation in model._meta.get_fields(include_hidden=True)
        if isinstance(relation, ForeignObjectRel) and isinstance(relation.field, ForeignKey)
        if relation.on_delete is CASCADE and isinstance(relation.related_model, type)
    ]


def table_names() -> list[str]:
    """Return the tables that can be cleaned, by the names that Airflow has for them where it has the table."""
    return sorted({RUN_TABLE, *(table_name(model) for model in run_models()), *(flat.table for flat in FLAT)})


def chunks(rules: Rules, tables: Collection[str] | None = None) -> Iterator[Chunk]:
    """Yield what goes, each chunk chosen when it is asked for; delete one before asking for the next.

    ``tables`` are names of ``table_names``; None means all. Rows of unfinished runs are never chosen.
    """
    chosen = set(table_names() if tables is None else tables)
    models = [model for model in run_models() if RUN_TABLE in chosen or table_name(model) in chosen]
    if models:
        for runs in old_runs(rules):
            yield from _of_runs(tuple(runs), models, rules.batch, whole=RUN_TABLE in chosen)
    for flat in FLAT:
        if flat.table in chosen:
            yield from _of_flat(flat, rules)


def chunk_delete(chunk: Chunk) -> tuple[int, list[OldRun]]:
    """Delete the rows in the caller's transaction; return how many, and the runs that are gone with them.

    Runs that were cleared meanwhile stay as they are. The files of the others are the caller's, after the commit.
    """
    gone, runs = _delete(chunk)
    fault_point("retention.before_commit")
    return gone, runs


def _delete(chunk: Chunk) -> tuple[int, list[OldRun]]:
    if not chunk.runs:
        return int(chunk.rows.delete()[0]), []
    old = set(still_old([run.pk for run in chunk.runs]))
    if chunk.is_whole_run:
        gone = [run for run in chunk.runs if run.pk in old]
        return int(chunk.rows.filter(pk__in=old).delete()[0]), gone
    rows = chunk.rows.filter(**{f"{chunk.run_path}_id__in": old})
    if chunk.rows.model is TaskInstance:
        waits = list(rows.exclude(trigger_id=None).values_list("trigger_id", flat=True))
        if waits:
            Trigger.objects.filter(pk__in=waits).delete()
    return int(rows.delete()[0]), []


def large_values(chunk: Chunk) -> list[str]:
    """Return where the values of XComs lie that go with a chunk and are kept outside of the database."""
    if chunk.rows.model is not XCom:
        return []
    return list(chunk.rows.exclude(location="").values_list("location", flat=True))


def _of_runs(runs: tuple[OldRun, ...], models: list[type[Model]], size: int, *, whole: bool) -> Iterator[Chunk]:
    of_these = {"dag_run_id__in": [run.pk for run in runs]}
    for model in models:
        for pks in _pages(model._default_manager.filter(**of_these), "dag_run_id", size):
            for child, column, rows in _children_of(model, pks, size):
                yield Chunk(table_name(child), rows, runs, run_path=f"{column}__dag_run")
            yield Chunk(table_name(model), model._default_manager.filter(pk__in=pks), runs)
    for start in range(0, len(runs) if whole else 0, size):
        some = runs[start : start + size]
        yield Chunk(RUN_TABLE, DagRun.objects.filter(pk__in=[run.pk for run in some]), some, is_whole_run=True)


def _of_flat(flat: Flat, rules: Rules) -> Iterator[Chunk]:
    before = flat.before(rules)
    if before is None:
        return
    manager = flat.model._default_manager
    if not flat.grows_in_order:
        for pks in _pages(flat.narrowed(manager.filter(**{f"{flat.age}__lt": before}), rules), flat.age, rules.batch):
            yield from _with_children(flat, pks, rules)
        return
    last: Any = 0
    while True:  # the primary key grows with time, so the oldest rows are its first and no index on the time is needed
        page = list(manager.filter(pk__gt=last).order_by("pk").values_list("pk", flat.age)[: rules.batch])
        pks = [pk for pk, moment in page if moment < before]
        rows = flat.narrowed(manager.filter(pk__in=pks), rules)
        kept = list(rows.values_list("pk", flat=True)) if pks else []
        if kept:
            yield from _with_children(flat, kept, rules)
        if len(pks) < rules.batch:
            return
        last = page[-1][0]


def _with_children(flat: Flat, pks: list[Any], rules: Rules) -> Iterator[Chunk]:
    """The rows with these keys, after what is deleted with them."""
    for child, _, rows in _children_of(flat.model, pks, rules.batch):
        yield Chunk(table_name(child), rows)
    yield Chunk(flat.table, flat.narrowed(flat.model._default_manager.filter(pk__in=pks), rules))


def _children_of(model: type[Model], pks: list[Any], size: int) -> Iterator[tuple[type[Model], str, QuerySet[Any]]]:
    """What is deleted with the rows with these keys, at most ``size`` rows at a time: one event may have many deliveries."""
    for child, column in children(model):
        manager = child._default_manager
        for some in _pages(manager.filter(**{f"{column}__in": pks}), f"{column}_id", size):
            yield child, column, manager.filter(pk__in=some)


def _pages(rows: QuerySet[Any], by: str, size: int) -> Iterator[list[Any]]:
    """Primary keys, a page at a time; a row that was not deleted is not looked at again.

    Args:
        by: the column that ``rows`` are found by. They come in its order, so that no planner reads along the primary key.
    """
    later = rows
    while True:
        page = list(later.order_by(by, "pk").values_list(by, "pk")[:size])
        if page:
            yield [pk for _, pk in page]
        if len(page) < size:
            return
        value, pk = page[-1]
        later = rows.filter(Q(**{f"{by}__gt": value}) | Q(**{by: value, "pk__gt": pk}))
