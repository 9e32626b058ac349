"""Decides what the list of pools shows: the slots of each by what holds them, and the form of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from orchestrator.ui.lists import Column, Filter, ListSpec
from runs.api import pools
from runs.api.queries import attach_to_pools
from runs.models import Pool
from runs.pages.meters import Part, parts_of

# state of what holds or waits for slots -> its family of colours
HOLDING = (("running", "running"), ("queued", "waiting"), ("deferred", "deferred"))


def attach_parts(rows: Sequence[Any]) -> None:
    """Count the slots in use of a page of pools by one query, and lay out their bars."""
    attach_to_pools(rows)
    for row in rows:
        row.parts = _parts(row)
        row.is_full = row.slots >= 0 and row.open_slots <= 0


def _parts(row: Any) -> list[Part]:
    held = [
        (family, word, getattr(row, f"{word}_slots")) for word, family in HOLDING if word != "deferred" or row.include_deferred
    ]
    # A pool that was made smaller, or has no limit, may hold more than its slots.
    return parts_of(held, max(row.slots, sum(slots for _, _, slots in held)))


POOLS = ListSpec(
    name="pools",
    params=pools.LIST,
    order=pools.ORDER,
    columns=(
        Column("pool", "Pool", "name"),
        Column("slots", "Slots", number=True),
        Column("used", "In use", text=lambda row: row.occupied_slots),
        Column("open_slots", "Open", number=True, text=lambda row: "unlimited" if row.slots < 0 else row.open_slots),
        Column("scheduled_slots", "Waiting", number=True),
        Column("deferred_slots", "Deferred", number=True),
        Column("description", "Description"),
    ),
    filters=(Filter("pool_name_pattern", "Pool", "search"),),
    default_order=("name",),
    noun="pool",
)


class PoolForm(forms.ModelForm):  # type: ignore[type-arg]
    """A pool; tasks refer to it by its name, so that stays."""

    slots = forms.IntegerField(min_value=-1, initial=128, help_text="-1: no limit.")

    class Meta:
        model = Pool
        fields = ["pool", "slots", "description", "include_deferred", "ageing_seconds"]
        labels = {
            "pool": "Name",
            "include_deferred": "Deferred tasks keep their slots",
            "ageing_seconds": "Seconds of waiting that are worth one point of priority",
        }
        widgets = {"description": forms.Textarea(attrs={"rows": 2})}
