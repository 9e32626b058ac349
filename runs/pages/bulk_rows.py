"""Decides what the pages about bulk actions show of each: how far it is, and what was asked, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict

from accounts.services import masked
from orchestrator.kernel.clock import utcnow
from orchestrator.ui.lists import Column, Filter, ListSpec, chips_of
from runs.api.bulk_actions import LIST, NEWEST_FIRST
from runs.bulk.kinds import KINDS, NOUNS, noun_of
from runs.bulk.progress import expected_end, share_done
from runs.models import BulkAction
from runs.pages.bulk_bar import WORDS
from runs.pages.bulk_form import SPECS
from runs.pages.events import text_of
from runs.pages.meters import Part, parts_of

SHOWN_ITEMS = 20


@dataclass(frozen=True, slots=True)
class Shares:
    """How many items are where, for a meter."""

    total: int
    changed: int
    unchanged: int
    failed: int

    @property
    def parts(self) -> list[Part]:
        """The parts of its meter."""
        counts = (("ok", "changed", self.changed), ("waiting", "unchanged", self.unchanged), ("failed", "failed", self.failed))
        return parts_of(counts, self.total)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was ordered: filters or items, and the options."""

    filters: Sequence[tuple[str, str]]
    items: Sequence[dict[str, Any]]
    more: int
    options: Sequence[tuple[str, str]]


def actions_shown() -> QuerySet[BulkAction]:
    """Return the actions without what they keep of their items."""
    return BulkAction.objects.defer("selection")


def attach_shares(rows: Sequence[Any]) -> None:
    """Set what is said of each row; no query."""
    now = utcnow()
    for row in rows:
        act = WORDS.get((row.target, row.kind))
        row.word = act.word if act is not None else row.kind.replace("_", " ")
        row.noun = f"{noun_of(row.target, row.kind)}s"
        row.progress = Shares(row.total, row.changed, row.unchanged, row.failed)
        row.share = round(100 * share_done(row))
        row.expected = expected_end(row, now)


def asked_of(action: BulkAction) -> Asked:
    """Return what was ordered."""
    spec, selection = SPECS[action.target], action.selection
    query = QueryDict(mutable=True)
    for name, value in selection.get("filters", {}).items():
        query.setlist(name, [str(item) for item in (value if isinstance(value, list) else [value])])
    items = selection.get("items", [])
    filters = [(chip.label, chip.value) for chip in chips_of(spec, query, only_known=False)]
    options = [(name.replace("_", " "), text_of(value)) for name, value in masked(action.options).items()]
    return Asked(filters, items[:SHOWN_ITEMS], max(len(items) - SHOWN_ITEMS, 0), options)


def _kinds() -> list[tuple[str, str]]:
    return sorted({(name, name.replace("_", " ")) for kinds in KINDS.values() for name in kinds})


BULK_ACTIONS = ListSpec(
    name="bulk_actions",
    params=LIST,
    order=NEWEST_FIRST,
    columns=(
        Column("id", "No.", "id"),
        Column("kind", "What", "kind"),
        Column("target", "On"),
        Column("state", "State", "state"),
        Column("progress", "Progress", text=lambda row: f"{row.done}/{row.total}"),
        Column("actor", "By", "actor"),
        Column("reason", "Reason"),
        Column("created_at", "Ordered", "created_at"),
        Column("ended_at", "Ended", "ended_at"),
    ),
    filters=(
        Filter("state", "State", "choices", tuple((word, word) for word in BulkAction.State.values)),
        Filter("kind", "What", "choices", _kinds),
        Filter("target", "On", "choices", tuple((str(target), f"{noun}s") for target, noun in NOUNS.items())),
        Filter("actor", "By"),
        Filter("created_at", "Ordered", "dates"),
    ),
    noun="bulk action",
)
