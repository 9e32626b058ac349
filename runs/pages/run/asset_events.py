"""Decides which asset events the tab of a run shows: those that it took, and those that its tasks made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from runs.assets.consumed import consumed_by, runs_created_by
from runs.models import AssetEvent, DagRun
from runs.pages.run.given_params import short
from runs.pages.run.head import route
from runs.pages.run.task_rows import index_path

MOST_EVENTS = 200


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """One event. ``source``: words for what made it; ``runs``: the runs that took it."""

    event: AssetEvent
    asset_url: str
    extra: Sequence[tuple[str, str]]
    source: str
    source_url: str
    runs: Sequence[DagRun]


@dataclass(frozen=True, slots=True)
class RunAssetEvents:
    """The events, oldest first; ``is_cut`` where there are more than are shown."""

    consumed: Sequence[ShownEvent]
    produced: Sequence[ShownEvent]
    is_cut: bool


def asset_events_of(run: DagRun) -> RunAssetEvents:
    """Return the events of a run; a constant number of queries."""
    consumed = consumed_by([run.pk]).get(run.pk, [])
    rows = AssetEvent.objects.filter(source_dag_id=run.dag_id, source_run_id=run.run_id).select_related("asset")
    produced = list(rows.prefetch_related("aliases").order_by("timestamp", "pk")[: MOST_EVENTS + 1])
    is_cut = len(consumed) > MOST_EVENTS or len(produced) > MOST_EVENTS
    consumed, produced = consumed[:MOST_EVENTS], produced[:MOST_EVENTS]
    takers = runs_created_by([event.pk for event in produced])
    return RunAssetEvents(
        [_shown(event, ()) for event in consumed], [_shown(event, takers.get(event.pk, ())) for event in produced], is_cut
    )


def _shown(event: AssetEvent, runs: Sequence[DagRun]) -> ShownEvent:
    extra: dict[str, Any] = event.extra if isinstance(event.extra, dict) else {"extra": event.extra}
    pairs = [(str(key), short(value)) for key, value in extra.items()]
    source, url = _source(event)
    return ShownEvent(event, route("asset_detail", event.asset_id), pairs, source, url, runs)


def _source(event: AssetEvent) -> tuple[str, str]:
    if not event.source_dag_id:
        return ("by hand" if (event.extra or {}).get("from_rest_api") else "from outside"), ""
    index = f" [{event.source_map_index}]" if event.source_map_index >= 0 else ""
    name = f"{event.source_dag_id}.{event.source_task_id}{index}" if event.source_task_id else event.source_dag_id
    if not event.source_run_id or not event.source_task_id:
        return name, route("dag_detail", event.source_dag_id)
    place = DagRun(dag_id=event.source_dag_id, run_id=event.source_run_id)
    return name, index_path(place, event.source_task_id, event.source_map_index)
