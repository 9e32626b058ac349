"""Decides how task instances and what is written beside them look in the admin; states are never edited here."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin_rows import ReadOnlyAdmin, known_values, pretty_field
from accounts.audited_admin import AuditedAdmin
from orchestrator.database import notify_on_commit
from runs import admin_housekeeping, admin_orders, admin_runs
from runs.causes import Cause
from runs.changes import SCHEDULER_TOPIC
from runs.models import (
    AssetDelivery,
    AssetEvent,
    AssetState,
    Callback,
    PartitionArrival,
    PartitionWait,
    Pool,
    RenderedFields,
    RunEvent,
    StateChange,
    TaskInstance,
    TaskInstanceHistory,
    TaskLease,
    TaskReschedule,
    TaskState,
    Trigger,
    XCom,
)
from runs.states import DagRunState, TaskInstanceState

__all__ = ["admin_housekeeping", "admin_orders", "admin_runs"]

DEFAULT_POOL = "default_pool"


class AttemptAdmin(ReadOnlyAdmin):
    """What current and archived attempts share."""

    list_display = [
        "dag_id",
        "run_id",
        "task_id",
        "map_index",
        "try_number",
        "state",
        "cause",
        "start_date",
        "duration",
        "hostname",
    ]
    list_filter = [
        known_values("state", lambda: list(TaskInstanceState)),
        known_values("cause", lambda: list(Cause)),
        known_values("pool", lambda: Pool.objects.order_by("pool").values_list("pool", flat=True)),
    ]
    search_fields = ["dag_id__iexact", "run_id__iexact", "task_id__iexact"]
    exclude = ["dag_run", "dag_version", "executor_config", "next_kwargs", "wait_detail"]
    executor_config_shown = pretty_field("executor_config")
    next_kwargs_shown = pretty_field("next_kwargs")
    wait_detail_shown = pretty_field("wait_detail")
    readonly_fields = ["dag_version_id", "executor_config_shown", "next_kwargs_shown", "wait_detail_shown"]
    ordering = ["-id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave out in lists what only a single row shows."""
        return super().get_queryset(request).defer("executor_config", "next_kwargs", "wait_detail", "cause_detail")


admin.site.register(TaskInstance, AttemptAdmin)
admin.site.register(TaskInstanceHistory, AttemptAdmin)


@admin.register(XCom)
class XComAdmin(ReadOnlyAdmin):
    """Values that tasks pass on; a list never reads the values."""

    list_display = ["key", "dag_id", "run_id", "task_id", "map_index", "size", "timestamp"]
    search_fields = ["key__iexact", "dag_id__iexact", "run_id__iexact", "task_id__iexact"]
    exclude = ["value", "dag_run"]
    value_shown = pretty_field("value")
    readonly_fields = ["value_shown"]
    ordering = ["-id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[XCom]:
        """Leave the value out until a single row shows it."""
        return super().get_queryset(request).defer("value")


@admin.register(Pool)
class PoolAdmin(AuditedAdmin):
    """Pools; every task needs the default one, so it stays."""

    event_name = "pool"
    verbs = ("post", "patch", "delete")
    list_display = ["pool", "slots", "include_deferred", "description"]
    search_fields = ["pool", "description"]
    search_help_text = "Name or description"

    def get_readonly_fields(self, request: HttpRequest, obj: Pool | None = None) -> list[str]:
        """A pool keeps its name, because tasks refer to it by that."""
        return ["pool"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Pool | None = None) -> bool:
        """Everything but the default pool may go."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.pool != DEFAULT_POOL)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Pool]) -> None:
        """Delete the chosen pools except the default one."""
        super().delete_queryset(request, queryset.exclude(pool=DEFAULT_POOL))

    def _note(self, verb: str, request: HttpRequest, row: Pool, **sides: Any) -> None:
        """Wake the scheduler as well: tasks may wait for these slots."""
        super()._note(verb, request, row, **sides)
        notify_on_commit(SCHEDULER_TOPIC)


@admin.register(StateChange)
class StateChangeAdmin(ReadOnlyAdmin):
    """Every change of state."""

    list_display = ["at", "run", "task_id", "map_index", "try_number", "from_state", "to_state", "actor", "cause"]
    list_filter = [
        known_values("to_state", lambda: sorted({*TaskInstanceState, *DagRunState})),
        known_values("cause", lambda: list(Cause)),
    ]
    search_fields = ["dag_run__run_id__iexact", "dag_run__dag__dag_id__iexact", "task_id__iexact", "actor"]
    list_select_related = ["dag_run"]
    ordering = ["-id"]

    @admin.display(description="run")
    def run(self, row: StateChange) -> str:
        """Name the run without asking for its DAG."""
        return str(row.dag_run)


class OfRunAdmin(ReadOnlyAdmin):
    """Rows that belong to a run and are known by their own text."""

    list_display = ["__str__", "dag_run"]
    list_select_related = ["dag_run"]
    raw_id_fields = ["dag_run"]


admin.site.register([RunEvent, TaskLease, TaskReschedule, RenderedFields], OfRunAdmin)


@admin.register(Callback)
class CallbackAdmin(ReadOnlyAdmin):
    """Deliveries."""

    list_display = ["id", "kind", "state", "attempts", "next_attempt_at", "created_at", "delivered_at"]
    list_filter = ["state"]
    search_fields = ["kind__istartswith", "dedupe_key"]
    exclude = ["payload"]
    payload_shown = pretty_field("payload")
    readonly_fields = ["payload_shown"]
    ordering = ["-id"]


@admin.register(Trigger)
class TriggerAdmin(ReadOnlyAdmin):
    """Waits of deferred tasks; their arguments may be secret and are not shown."""

    list_display = ["id", "classpath", "created_date", "triggerer_id", "lease_until"]
    search_fields = ["classpath"]
    exclude = ["encrypted_kwargs"]
    ordering = ["-id"]


@admin.register(AssetEvent)
class AssetEventAdmin(ReadOnlyAdmin):
    """Events of assets."""

    list_display = ["id", "asset", "timestamp", "partition_key", "source_dag_id", "source_task_id", "source_run_id"]
    list_select_related = ["asset"]
    search_fields = ["source_dag_id__iexact", "partition_key__iexact"]
    ordering = ["-id"]


@admin.register(AssetDelivery)
class AssetDeliveryAdmin(ReadOnlyAdmin):
    """What each consumer got of each event: the run that took it, or why none will; neither means that it waits (C23-c)."""

    list_display = ["event_id", "asset", "dag_id", "created_at", "dag_run", "dropped_reason"]
    list_select_related = ["asset", "dag_run"]
    list_filter = [("dropped_reason", admin.EmptyFieldListFilter)]
    search_fields = ["dag__dag_id__iexact"]
    ordering = ["-id"]


@admin.register(PartitionWait)
class PartitionWaitAdmin(ReadOnlyAdmin):
    """Partitions, with the run that each has made."""

    list_display = ["id", "dag_id", "partition_key", "partition_date", "created_at", "dag_run"]
    list_select_related = ["dag_run"]
    search_fields = ["dag__dag_id__iexact", "partition_key__iexact"]
    ordering = ["-id"]


@admin.register(PartitionArrival)
class PartitionArrivalAdmin(ReadOnlyAdmin):
    """Which event counts for which partition."""

    list_display = ["id", "wait_id", "event_id", "asset", "source_partition_key", "created_at"]
    list_select_related = ["asset"]
    ordering = ["-id"]


@admin.register(TaskState)
class TaskStateAdmin(ReadOnlyAdmin):
    """Values that tasks keep between attempts."""

    list_display = ["dag_run_id", "task_id", "map_index", "key", "updated_at", "expires_at"]
    search_fields = ["task_id__iexact", "key__iexact"]
    ordering = ["-id"]


@admin.register(AssetState)
class AssetStateAdmin(ReadOnlyAdmin):
    """Values beside assets."""

    list_display = ["asset", "key", "updated_at"]
    list_select_related = ["asset"]
    search_fields = ["key__iexact"]
    ordering = ["-id"]
