"""Decides the list of DAGs: its columns, and the filters and orders of the REST list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.db.models import QuerySet

from dags_app.api.dags import LIST, ORDER
from dags_app.dag_filters import RUN_STATES, SEARCH, of_person, tag_filter
from dags_app.models import Bundle, Dag, DagTag
from orchestrator.rest.params import params
from orchestrator.ui.list_fields import Stored
from orchestrator.ui.lists import Column, Filter, ListSpec

_YES_NO = (("true", "yes"), ("false", "no"))
_STATES = tuple((word, word) for word in RUN_STATES)


def _owner_names(columns: Iterable[str]) -> list[str]:
    """Return the owners; a column holds several names with commas between them."""
    return sorted({name.strip() for owners in columns for name in owners.split(",") if name.strip()})


OWNERS = Stored("owners", lambda: Dag.objects.active().exclude(owners=""), _owner_names)
TAGS = Stored("name", lambda: DagTag.objects.filter(dag__is_stale=False))
BUNDLES = Stored("name", Bundle.objects.all)


def _last(name: str) -> Any:
    return lambda dag: getattr(dag.facts.last, name, None)


DAGS = ListSpec(
    name="dags",
    params=params(*LIST.items, SEARCH),
    order=ORDER,
    columns=(
        Column("dag_id", "DAG", "dag_id"),
        Column("runs", "Runs", text=lambda dag: " ".join(run.state for run in dag.facts.runs)),
        Column("last", "Last run", "last_run_start_date", text=_last("state")),
        Column("took", "Took", number=True, text=lambda dag: dag.facts.seconds),
        Column("next", "Next run", "next_dagrun", text=lambda dag: dag.next_dagrun_create_after),
        Column("schedule", "Schedule", text=lambda dag: dag.timetable_summary),
        Column("active", "Active", number=True, text=lambda dag: dag.facts.running + dag.facts.queued),
        Column("owners", "Owner"),
        Column("is_paused", "Paused", hidden=True),
        Column("file", "File", hidden=True, text=lambda dag: dag.relative_fileloc),
        Column("bundle", "Bundle", hidden=True, text=lambda dag: dag.bundle_id),
        Column("last_parsed_time", "Read", hidden=True),
    ),
    filters=(
        Filter("q", "Search DAGs", "search"),
        Filter("last_dag_run_state", "Last run", "choice", _STATES),
        Filter("dag_run_state", "Any run", "choices", _STATES),
        Filter("paused", "Paused", "choice", _YES_NO),
        Filter("is_favorite", "Favourite", "choice", _YES_NO),
        Filter("has_import_errors", "Import error", "choice", _YES_NO),
        Filter("has_asset_schedule", "Scheduled by assets", "choice", _YES_NO),
        Filter("asset_dependency", "Scheduled by the asset", hint="part of its name"),
        Filter("owners", "Owner", "choices", OWNERS),
        Filter("tags", "Tags", "choices", TAGS),
        Filter("tags_match_mode", "Of the tags", "choice", (("any", "any one"), ("all", "all of them"))),
        Filter("bundle_name", "Bundle", "choice", BUNDLES),
        Filter("exclude_stale", "DAGs without a file", "choice", (("false", "shown too"),)),
    ),
    noun="DAG",
    are_few=True,
)


def spec_for(user_name: str) -> ListSpec:
    """Return the list as one person asks for it: his favourites are his."""

    def also(rows: QuerySet[Dag], values: Mapping[str, Any]) -> QuerySet[Dag]:
        return of_person(tag_filter(rows, values), values, user_name)

    return replace(DAGS, also=also)
