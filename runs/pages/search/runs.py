"""Decides which runs and task instances the search finds: by an id's beginning, by a day and an hour, by a task's name.

Only the newest runs and those of DAGs that are meant are looked at, so the cost does not grow with the history.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import OuterRef, Q, Subquery
from django.db.models.expressions import Combinable
from django.utils import timezone

from dags_app.models import Dag
from orchestrator.kernel.clock import utcnow
from orchestrator.listing import ListOf
from orchestrator.templatetags.shown import run_title
from runs.models import DagRun, TaskInstance
from runs.pages.search.hits import Asked, Hit, having, link

MOST = 6
NEWEST_RUNS = 3000
NEWEST_FOR_TASKS = 300
SHORTEST = 2
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_HOUR = re.compile(r"\b(\d{1,2}):(\d{2})\b|T(\d{2})$")
COLUMNS = ("id", "dag_id", "run_id", "run_type", "state", "logical_date", "run_after")


@dataclass(frozen=True, slots=True)
class Looked:
    """The runs that are looked at.

    Attributes:
        recent: the keys of the newest runs.
        of_dags: the keys of the newest runs of the DAGs that are meant.
        oldest: when the oldest run was due that is looked at by its id; None where all are.
    """

    recent: Sequence[int] = ()
    of_dags: Sequence[int] = ()
    oldest: datetime | None = None


def look(dag_ids: Sequence[str]) -> dict[str, Combinable]:
    """Return, for ``ask_once``, the runs to look at where some DAGs are meant; ``looked`` reads them.

    Their keys are values and no subqueries in what follows: by those PostgreSQL would read every task instance that there is.
    """
    newest = DagRun.objects.order_by("-run_after")
    of_dag = DagRun.objects.filter(dag_id=OuterRef("pk")).order_by("-run_after", "-id").values("pk")[:1]
    meant = Dag.objects.filter(pk__in=list(dag_ids)).annotate(newest_run=Subquery(of_dag))
    return {
        "recent": ListOf(newest[:NEWEST_FOR_TASKS], "pk"),
        "of_dags": ListOf(meant, "newest_run"),
        "oldest": Subquery(newest.values("run_after")[NEWEST_RUNS - 1 : NEWEST_RUNS]),
    }


def looked(answer: Mapping[str, Any]) -> Looked:
    """Return the runs to look at as ``ask_once`` gave them."""
    of_dags = [pk for (pk,) in answer["of_dags"] or () if pk is not None]
    return Looked([pk for (pk,) in answer["recent"] or ()], of_dags, answer["oldest"])


def run_hits(asked: Asked, dag_ids: Sequence[str], looked: Looked) -> list[Hit]:
    """Return runs whose id begins so, or that were due in the span that the words name (``yesterday 14:00``)."""
    if len(asked.text) < SHORTEST:
        return []
    runs = DagRun.objects.only(*COLUMNS).order_by("-run_after", "-id")
    span = span_of(asked.text)
    if span is not None:
        found = runs.filter(run_after__gte=span[0], run_after__lt=span[1])
        if asked.text.lower().startswith(("scheduled__", "manual__", "backfill__", "asset_triggered__")):
            found = found.filter(run_id__startswith=asked.text)
        return [hit_of(run) for run in found[:MOST]]
    return [hit_of(run) for run in runs.filter(_by_id(asked.text, dag_ids, looked.oldest))[:MOST]]


def _by_id(text: str, dag_ids: Sequence[str], oldest: datetime | None) -> Q:
    named = Q(run_id__startswith=text)
    return named if oldest is None else named & (Q(run_after__gte=oldest) | Q(dag_id__in=list(dag_ids)))


def span_of(text: str) -> tuple[datetime, datetime] | None:
    """Return the instants that words name: a day, an hour or a minute of it; None where they name none."""
    try:
        span = _span_of(text)
        return (span[0].astimezone(UTC), span[1].astimezone(UTC)) if span is not None else None
    except OverflowError:  # at the ends of the calendar
        return None


def _span_of(text: str) -> tuple[datetime, datetime] | None:
    lowered, today = text.lower(), timezone.localtime(utcnow()).date()
    day = {"today": today, "yesterday": today - timedelta(days=1)}.get(lowered.split()[0]) or _written_day(text)
    if day is None:
        return None
    hour = _HOUR.search(text)
    begin = timezone.make_aware(datetime.combine(day, time()))
    if hour is None:
        return begin, begin + timedelta(days=1)
    hours, minutes = int(hour[1] or hour[3]), int(hour[2] or 0)
    if hours > 23 or minutes > 59:
        return None
    begin = timezone.make_aware(datetime.combine(day, time(hours, minutes)))
    return begin, begin + timedelta(hours=0 if minutes else 1, minutes=1 if minutes else 0)


def _written_day(text: str) -> date | None:
    found = _DAY.search(text)
    try:
        return date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return None


def hit_of(run: DagRun) -> Hit:
    """Show a run."""
    return Hit("Run", "player-play", run_title(run), link("run_detail", run.dag_id, run.run_id), run.dag_id, run.state)


def task_hits(asked: Asked, looked: Looked) -> Iterator[Hit]:
    """Yield tasks of the newest runs, each once: of any DAG, and of those that the first word or the page means."""
    if len(asked.text) < SHORTEST:
        return
    named = having(asked.words, "task_id")
    if len(asked.words) > 1:
        named |= having(asked.words[1:], "task_id") & Q(dag_run_id__in=looked.of_dags)
    rows = TaskInstance.objects.filter(named, dag_run_id__in=[*looked.of_dags, *looked.recent], map_index__lte=0)
    rows = rows.only("id", "dag_id", "run_id", "task_id", "map_index", "state", "task_display_name").order_by(
        "-dag_run__run_after"
    )
    seen: set[tuple[str, str]] = set()
    for ti in rows[: MOST * 20]:
        if (ti.dag_id, ti.task_id) in seen or len(seen) == MOST:
            continue
        seen.add((ti.dag_id, ti.task_id))
        yield _task_hit(ti)


def _task_hit(ti: TaskInstance) -> Hit:
    index = (ti.map_index,) if ti.map_index >= 0 else ()
    url = link("dag_task", ti.dag_id, ti.task_id) or link(
        "mapped_log_detail" if index else "log_detail", ti.dag_id, ti.run_id, ti.task_id, *index
    )
    return Hit("Task", "subtask", ti.task_display_name or ti.task_id, url, ti.dag_id, ti.state)
