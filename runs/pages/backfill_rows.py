"""Decides what lists of backfills show of each: how far it is, by the states of its runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from orchestrator.rest import scalars
from orchestrator.rest.ordering import ordering
from orchestrator.rest.params import Param, between, equal, matching, one_of, order_param, page_params, params
from orchestrator.ui.lists import Column, Filter, ListSpec
from runs.models import Backfill, BackfillRun
from runs.pages.meters import Part, parts_of

OPEN, COMPLETED, CANCELLED, PAUSED = "running", "completed", "cancelled", "paused"
_OF_STATE = {
    OPEN: Q(completed_at__isnull=True, is_paused=False),
    PAUSED: Q(completed_at__isnull=True, is_paused=True),
    COMPLETED: Q(completed_at__isnull=False, cancelled_at__isnull=True),
    CANCELLED: Q(cancelled_at__isnull=False),
}


def _in_state(rows: QuerySet[Any], values: list[str]) -> QuerySet[Any]:
    wanted = Q(pk__in=[])
    for value in values:
        wanted |= _OF_STATE[value]
    return rows.filter(wanted)


@dataclass(frozen=True, slots=True)
class Progress:
    """How many dates of a backfill are where."""

    succeeded: int = 0
    failed: int = 0
    running: int = 0
    waiting: int = 0
    without_run: int = 0

    @property
    def total(self) -> int:
        """All dates that have a run."""
        return self.succeeded + self.failed + self.running + self.waiting

    @property
    def done(self) -> int:
        """Dates whose run is finished."""
        return self.succeeded + self.failed

    @property
    def parts(self) -> list[Part]:
        """The parts of its meter."""
        counts = (
            *(("ok", "succeeded", self.succeeded), ("failed", "failed", self.failed)),
            *(("running", "running", self.running), ("waiting", "waiting", self.waiting)),
        )
        return parts_of(counts, self.total)


def attach_progress(rows: Sequence[Backfill]) -> None:
    """Count the runs of a page of backfills by one query."""
    counts: Any = BackfillRun.objects.filter(backfill__in=rows).values_list("backfill_id", "dag_run__state").order_by()
    of: dict[int, dict[str, int]] = {}
    for backfill_id, state, number in counts.annotate(number=Count("pk")):
        of.setdefault(backfill_id, {})[state or ""] = number
    for row in rows:
        found = of.get(row.pk, {})
        row.progress = Progress(  # type: ignore[attr-defined]
            found.get("success", 0), found.get("failed", 0), found.get("running", 0), found.get("queued", 0), found.get("", 0)
        )


def state_of(row: Backfill) -> str:
    """Return the word for where a backfill is."""
    if row.cancelled_at is not None:
        return CANCELLED
    if row.completed_at is not None:
        return COMPLETED
    return PAUSED if row.is_paused else OPEN


def _progress_text(row: Any) -> str:
    return f"{row.progress.done}/{row.progress.total}"


BACKFILLS = ListSpec(
    name="backfills",
    params=params(
        page_params(),
        order_param(),
        Param("state", scalars.choice(*_OF_STATE), many=True, apply=_in_state),
        equal("dag_id", "dag_id"),
        matching("dag_id", "dag_id"),
        one_of("reprocess_behavior", "reprocess_behavior"),
        between("created_at", "created_at"),
    ),
    order=ordering("id", "dag_id", "from_date", "to_date", "created_at", "completed_at", "max_active_runs", default=["-id"]),
    columns=(
        Column("state", "State", text=state_of),
        Column("dag_id", "DAG", "dag_id"),
        Column("from_date", "From", "from_date"),
        Column("to_date", "To", "to_date"),
        Column("progress", "Progress", text=_progress_text),
        Column("reprocess_behavior", "Runs again"),
        Column("max_active_runs", "At once", "max_active_runs", number=True),
        Column("triggering_user_name", "By"),
        Column("created_at", "Created", "created_at"),
        Column("completed_at", "Ended", "completed_at"),
    ),
    filters=(
        Filter("dag_id_pattern", "DAG id", "search"),
        Filter("state", "State", "choices", tuple((word, word) for word in _OF_STATE)),
        Filter("reprocess_behavior", "Runs again", "choices", tuple((word, word) for word in Backfill.Reprocess.values)),
        Filter("created_at_gte", "Created from", "date"),
        Filter("created_at_lte", "Created to", "date"),
    ),
    noun="backfill",
)
