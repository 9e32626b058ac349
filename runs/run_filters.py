"""Decides by which filters runs are chosen, in lists and for bulk actions; some are no plain columns: conf, partitions."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet, TextField
from django.db.models.functions import Cast

from dags_app.models import Dag
from dags_app.selectors import SpecUnreadableError, spec_of
from orchestrator.rest import scalars
from orchestrator.rest.errors import RestError
from orchestrator.rest.instants import day
from orchestrator.rest.params import Param, between, equal, matching, one_of, states
from orchestrator.rest.patterns import contains
from orchestrator.sdk.definitions.timetables import Timetable, decode_timetable
from orchestrator.sdk.definitions.timetables.dst import wall_to_utc
from runs.models import AssetDelivery, DagRun, PartitionArrival
from runs.states import DagRunState

# In the order of Airflow's own list, which its error text repeats.
RUN_TYPES = ("backfill", "scheduled", "manual", "operator_triggered", "asset_triggered", "asset_materialization")


def seconds(value: Any) -> timedelta:
    """Take a duration in seconds."""
    return timedelta(seconds=min(max(scalars.number(value), -1e11), 1e11))


def with_duration(rows: QuerySet[DagRun]) -> QuerySet[DagRun]:
    """Runs with ``length``, the time between start and end, for filters and orders."""
    return rows.annotate(length=F("end_date") - F("start_date"))


def conf_contains(rows: QuerySet[DagRun], value: str) -> QuerySet[DagRun]:
    """Runs whose conf has the text, in which ``%`` and ``_`` stand for any text and any character, as in Airflow."""
    return rows.alias(conf_text=Cast("conf", TextField())).filter(contains("conf_text", value)) if value else rows


def _consuming(rows: QuerySet[DagRun], text: str) -> QuerySet[DagRun]:
    """Runs that have consumed an event of an asset with this text in its name or URI."""
    if not text:
        return rows
    meant = Q(asset__name__icontains=text) | Q(asset__uri__icontains=text)
    taken = AssetDelivery.objects.filter(meant, dag_run__isnull=False).values("dag_run")
    arrived = PartitionArrival.objects.filter(meant, wait__dag_run__isnull=False).values("wait__dag_run")
    return rows.filter(Q(pk__in=taken) | Q(pk__in=arrived))


# For rows ``with_duration``.
OF_RUNS: tuple[Param | list[Param], ...] = (
    *(between(name, name) for name in ("run_after", "logical_date", "start_date", "end_date", "updated_at")),
    between("duration", "length", seconds),
    # Applied with the DAG's timetable at hand, see ``of_partition_days``.
    Param("partition_date_gte", day),
    Param("partition_date_lte", day),
    Param("conf_contains", apply=conf_contains),
    states("run_type", "run_type", RUN_TYPES, "run type", none=True),
    states("state", "state", tuple(DagRunState), "state", none=True),
    one_of("dag_version", "created_dag_version__version_number", scalars.integer),
    equal("bundle_version", "bundle_version"),
)
BY_NAME: tuple[Param | list[Param], ...] = (
    matching("run_id", "run_id"),
    matching("triggering_user_name", "triggering_user_name"),
    matching("dag_id", "dag__dag_id"),
    matching("partition_key", "partition_key"),
    Param("consuming_asset_pattern", apply=_consuming),
)


def of_partition_days(rows: QuerySet[DagRun], dag: Dag | None, first: date | None, last: date | None) -> QuerySet[DagRun]:
    """Runs whose partition date lies on these days, both included, in the zone of the DAG's timetable.

    Raises:
        RestError: no DAG is named, or its runs have no partition dates.
    """
    if first is None and last is None:
        return rows
    if dag is None:
        raise RestError(400, "partition_date_gte and partition_date_lte require a specific dag_id.")
    timetable = timetable_of(dag)
    if timetable is None or not timetable.partitioned:
        unfit = f"Dag with dag_id: '{dag.dag_id}' is not partitioned; "
        raise RestError(400, unfit + "partition_date_gte and partition_date_lte are not supported.")
    if first is not None:
        rows = rows.filter(partition_date__gte=in_zone_of(timetable, datetime.combine(first, time.min)))
    if last is not None:
        rows = rows.filter(partition_date__lt=in_zone_of(timetable, datetime.combine(last + timedelta(days=1), time.min)))
    return rows


def in_zone_of(timetable: Timetable | None, moment: datetime) -> datetime:
    """Return what a clock in the zone of the timetable means by the moment; UTC where it has none."""
    zone = getattr(timetable, "timezone", None)
    return wall_to_utc(moment.replace(tzinfo=None), zone) if zone is not None else moment.replace(tzinfo=UTC)


def timetable_of(dag: Dag) -> Timetable | None:
    """Return the timetable of the newest version, None where it cannot be read."""
    try:
        return decode_timetable(spec_of(dag.latest_version_id).timetable) if dag.latest_version_id else None
    except SpecUnreadableError:
        return None
