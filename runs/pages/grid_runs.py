"""Decides which runs are the columns of a grid, and what the head of each column shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import DateTimeField, OuterRef, Q, QuerySet, Subquery, Value

from orchestrator.templatetags.shown import look_of, run_title, zoned
from runs.models import DagRun
from runs.pages.rows import elapsed
from runs.states import DagRunState, DagRunType

BAR_HEIGHT = 48
# A label of a day needs about this many columns.
LABEL_COLUMNS = 3
TYPE_ICONS = {
    "manual": "user",
    "scheduled": "clock",
    "backfill": "history",
    "asset_triggered": "database",
    "asset_materialization": "database",
    "operator_triggered": "bolt",
}
_COLUMNS = (
    *("id", "dag_id", "run_id", "state", "run_type", "logical_date", "run_after", "start_date", "end_date"),
    *("note", "created_dag_version_id", "clear_number", "created_dag_version__version_number"),
)


@dataclass(frozen=True, slots=True)
class Column:
    """One run. ``height``: of its bar; ``day``: a label where a day begins; ``version``: where it is another than before."""

    run: DagRun
    seconds: float | None
    height: int
    family: str
    glyph: str
    title: str
    icon: str
    day: str
    version: int | None

    @property
    def bar_top(self) -> int:
        """Where the bar begins, from above."""
        return BAR_HEIGHT - self.height


@dataclass(frozen=True, slots=True)
class Columns:
    """The runs of a grid, oldest first; ``older`` and ``newer`` are the runs to page by, None where there are no more."""

    columns: list[Column]
    longest: float
    older: int | None
    newer: int | None

    @property
    def ids(self) -> list[int]:
        """The keys of the runs in the order of the columns."""
        return [column.run.pk for column in self.columns]


@dataclass(frozen=True, slots=True)
class RunChoice:
    """Which runs are asked for; ``before`` and ``after`` are keys of runs."""

    number: int
    run_type: str = ""
    state: str = ""
    before: int | None = None
    after: int | None = None


def edge_of(choice: RunChoice) -> Subquery | Value:
    """Return when the run was due that one pages from, as a column for the query that reads the DAG; null where it has none."""
    key = choice.before if choice.after is None else choice.after
    if key is None:
        return Value(None, DateTimeField())
    return Subquery(DagRun.objects.filter(dag_id=OuterRef("pk"), pk=key).values("run_after"))


def columns_of(dag_id: str, choice: RunChoice, edge: datetime | None) -> Columns:
    """Return the chosen runs by one query; ``edge``: when the run was due that one pages from."""
    rows = _chosen(dag_id, choice)
    is_forward = choice.after is not None
    key = choice.after if is_forward else choice.before
    if edge is not None and key is not None:
        rows = rows.filter(_beyond((edge, key), is_forward))
    order = ("run_after", "id") if is_forward else ("-run_after", "-id")
    rows = rows.select_related("created_dag_version").only(*_COLUMNS)
    found = list(rows.order_by(*order)[: choice.number + 1])
    has_more = len(found) > choice.number
    runs = found[: choice.number] if is_forward else found[: choice.number][::-1]
    older = runs[0].pk if runs and (is_forward or has_more) else None
    newer = runs[-1].pk if runs and (has_more if is_forward else edge is not None) else None
    return Columns(_heads(runs), _longest(runs), older, newer)


def _chosen(dag_id: str, choice: RunChoice) -> QuerySet[DagRun]:
    rows: QuerySet[DagRun] = DagRun.objects.filter(dag_id=dag_id)
    if choice.run_type in set(DagRunType):
        rows = rows.filter(run_type=choice.run_type)
    if choice.state in set(DagRunState):
        rows = rows.filter(state=choice.state)
    return rows


def _beyond(edge: tuple[datetime, int], is_forward: bool) -> Q:
    """Return the condition for runs after, or before, a run; the first part lets the index end the search."""
    at, key = edge
    if is_forward:
        return Q(run_after__gte=at) & (Q(run_after__gt=at) | Q(pk__gt=key))
    return Q(run_after__lte=at) & (Q(run_after__lt=at) | Q(pk__lt=key))


def _longest(runs: Sequence[DagRun]) -> float:
    return max((elapsed(run.start_date, run.end_date) or 0.0 for run in runs), default=0.0)


def _heads(runs: Sequence[DagRun]) -> list[Column]:
    longest = _longest(runs) or 1.0
    days = _days(runs)
    made, before = [], None
    for run, day in zip(runs, days, strict=True):
        version = run.created_dag_version.version_number if run.created_dag_version is not None else None
        made.append(_head(run, longest, day, version if before not in (None, version) else None))
        before = version if version is not None else before
    return made


def _head(run: DagRun, longest: float, day: str, version: int | None) -> Column:
    seconds = elapsed(run.start_date, run.end_date)
    height = 0 if seconds is None else max(2, round(BAR_HEIGHT * seconds / longest))
    glyph, family, word = look_of(run.state)
    return Column(
        run=run,
        seconds=seconds,
        height=height,
        family=family,
        glyph=glyph,
        title=f"{run_title(run)}, {word}",
        icon=TYPE_ICONS.get(run.run_type, "player-play"),
        day=day,
        version=version,
    )


def _days(runs: Sequence[DagRun]) -> list[str]:
    """Return a label for the first run of each day, where there is room for it."""
    labels, shown, last_at = [], "", -LABEL_COLUMNS
    for position, run in enumerate(runs):
        day = f"{zoned(run.run_after):%b %d}"
        is_new = day != shown and position - last_at >= LABEL_COLUMNS
        labels.append(day if is_new else "")
        if is_new:
            shown, last_at = day, position
    return labels
