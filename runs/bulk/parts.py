"""Decides how a selection is cut into parts of one short transaction each, and what is frozen of it (ADR 0015)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from runs.bulk.found import Item, RunItems
from runs.models import BulkAction, BulkPart

# Rows that one transaction changes: about 50 ms on SQLite, for which every other writer waits.
PART = 100
MOST_ITEMS = 1_000_000


class TooManyItemsError(Exception):
    """The selection is larger than one action may be."""


@dataclass(slots=True)
class _Cut:
    """One part in the making."""

    runs: list[dict[str, Any]] = field(default_factory=list)
    weight: int = 0
    run_part: int = 1
    run_parts: int = 1


def freeze(action: BulkAction, found: Sequence[RunItems], after: int | None) -> None:
    """Write a page of what the action means down; the caller holds the row and saves it.

    Raises:
        TooManyItemsError: more than a million items.
    """
    rows = []
    for cut in cuts(found):
        action.parts += 1
        row = BulkPart(action=action, number=action.parts, runs=cut.runs)
        row.run_part, row.run_parts = cut.run_part, cut.run_parts
        rows.append(row)
    BulkPart.objects.bulk_create(rows)
    action.total += sum(len(run.items) or 1 for run in found)
    action.is_frozen, action.frozen_to = after is None, after if after is not None else action.frozen_to
    if action.total > MOST_ITEMS:
        raise TooManyItemsError(f"the selection has more than {MOST_ITEMS} items: give several orders with narrower filters")


def cuts(found: Iterable[RunItems]) -> Iterator[_Cut]:
    """Yield the parts: several small runs together, a large one in pieces of its own."""
    cut = _Cut()
    for run in found:
        if cut.runs and cut.weight + run.weight > PART:
            yield cut
            cut = _Cut()
        if len(run.items) > PART:
            yield from _pieces(run)
            continue
        cut.runs.append(_document(run, run.items))
        cut.weight += run.weight
    if cut.runs:
        yield cut


def _pieces(run: RunItems) -> Iterator[_Cut]:
    starts = range(0, len(run.items), PART)
    for number, start in enumerate(starts, 1):
        some = run.items[start : start + PART]
        yield _Cut([_document(run, some)], len(some), number, len(starts))


def _document(run: RunItems, items: Sequence[Item]) -> dict[str, Any]:
    places = [[item.task_id, item.map_index, item.ti_id] for item in items]
    return {"pk": run.pk, "dag_id": run.dag_id, "run_id": run.run_id, "items": places}
