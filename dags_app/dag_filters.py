"""Decides by which filters DAGs are chosen, in lists and for bulk actions; some look at their runs, tags and assets."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from dags_app.models import AssetReference, Dag, DagFavorite, DagTag
from orchestrator.rest import scalars
from orchestrator.rest.params import Param, by, equal, known_states, matching, one_of
from orchestrator.rest.patterns import contains

RUN_STATES = ("queued", "running", "success", "failed")
_BOUNDS = ("gte", "gt", "lte", "lt")


def dags() -> QuerySet[Dag]:
    """All DAGs with their tags, and the newest run's state and start for ordering."""
    newest = runs_of_dag().order_by("-run_after", "-id")
    return Dag.objects.prefetch_related("tags").annotate(
        last_run_state=Subquery(newest.values("state")[:1]),
        last_run_start_date=Subquery(newest.values("start_date")[:1]),
    )


def runs_of_dag() -> QuerySet[Any]:
    """The runs of the DAG of the outer query; ``runs`` declares the relation, this app only follows it."""
    return Dag.runs.rel.related_model._default_manager.filter(dag_id=OuterRef("pk"))


def with_run(rows: QuerySet[Dag], **conditions: Any) -> QuerySet[Dag]:
    """DAGs that have a run of these properties."""
    return rows.filter(Exists(runs_of_dag().filter(**conditions)))


def owned_by(rows: QuerySet[Dag], owners: Sequence[str]) -> QuerySet[Dag]:
    """DAGs in whose owners one of the texts stands, in any case, as in Airflow."""
    wanted = Q()
    for owner in owners:
        wanted |= Q(owners__icontains=owner)
    return rows.filter(wanted)


def tagged(rows: QuerySet[Dag], tags: Sequence[str], mode: str | None) -> QuerySet[Dag]:
    """DAGs with any of the tags, or with all of them."""
    if mode == "all":
        for tag in tags:
            rows = rows.filter(tags__name=tag)
        return rows
    return rows.filter(pk__in=DagTag.objects.filter(name__in=tags).values("dag_id"))


def _with_run_in(rows: QuerySet[Dag], states: list[str]) -> QuerySet[Dag]:
    """DAGs with a run in one of the states; the word ``none`` asks for those without any run."""
    known = known_states(states, RUN_STATES, "state", none=True)
    wanted = Q(Exists(runs_of_dag().filter(state__in=known)))
    return rows.filter(wanted | ~Exists(runs_of_dag()) if len(known) < len(states) else wanted)


def _by_run(prefix: str, column: str) -> list[Param]:
    """Bounds on a column of any run of the DAG."""

    def param(bound: str) -> Param:
        lookup = f"{column}__{bound}"
        return Param(f"{prefix}_{bound}", scalars.instant, apply=lambda rows, value: with_run(rows, **{lookup: value}))

    return [param(bound) for bound in _BOUNDS]


def _has_assets(rows: QuerySet[Dag], wanted: bool) -> QuerySet[Dag]:
    scheduled = AssetReference.objects.filter(role=AssetReference.Role.SCHEDULE, asset__isnull=False).values("dag")
    return rows.filter(pk__in=scheduled) if wanted else rows.exclude(pk__in=scheduled)


def _depends_on(rows: QuerySet[Dag], text: str) -> QuerySet[Dag]:
    """DAGs whose schedule names an asset with this text in its name or URI."""
    meant = Q(asset__name__icontains=text) | Q(asset__uri__icontains=text)
    return rows.filter(pk__in=AssetReference.objects.filter(meant, role=AssetReference.Role.SCHEDULE).values("dag"))


def _search(rows: QuerySet[Dag], text: str) -> QuerySet[Dag]:
    for word in text.split():
        rows = rows.filter(contains("dag_id", word) | contains("dag_display_name", word))
    return rows


# The pages' own filter: every word is in the id or in the name that is shown.
SEARCH = Param("q", apply=_search)
CHOICE = [
    Param("tags_match_mode", scalars.choice("any", "all", kind="literal_error")),
    # The mode is applied with the tags, see ``tag_filter``.
    Param("tags", many=True),
    Param("owners", many=True, apply=owned_by),
    *matching("dag_id", "dag_id"),
    Param("exclude_stale", scalars.switch, True, apply=lambda rows, value: rows.filter(is_stale=False) if value else rows),
    equal("paused", "is_paused", scalars.switch),
]
FILTERS = [
    *CHOICE,
    *matching("dag_display_name", "dag_display_name"),
    equal("has_import_errors", "has_import_errors", scalars.switch),
    Param("last_dag_run_state", scalars.choice(*RUN_STATES), apply=by("last_run_state")),
    equal("bundle_name", "bundle_id"),
    equal("bundle_version", "bundle_version"),
    Param("has_asset_schedule", scalars.switch, apply=_has_assets),
    Param("asset_dependency", apply=_depends_on),
    *_by_run("dag_run_start_date", "start_date"),
    *_by_run("dag_run_end_date", "end_date"),
    Param("dag_run_state", many=True, apply=_with_run_in),
    Param("is_favorite", scalars.switch),
    one_of("timetable_type", "timetable_type"),
]


def tag_filter(rows: QuerySet[Dag], query: Mapping[str, Any]) -> QuerySet[Dag]:
    """Return the DAGs with the tags that are asked for, any or all of them."""
    return tagged(rows, query["tags"], query.get("tags_match_mode")) if query.get("tags") else rows


def of_person(rows: QuerySet[Dag], query: Mapping[str, Any], user_name: str) -> QuerySet[Dag]:
    """Return the DAGs that the person marked, or the others, where that is asked for."""
    wanted = query.get("is_favorite")
    if wanted is None:
        return rows
    marked = DagFavorite.objects.filter(user_name=user_name).values("dag_id")
    return rows.filter(pk__in=marked) if wanted else rows.exclude(pk__in=marked)
