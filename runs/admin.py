"""Decides how runs, task instances and what is written beside them look in the admin; states are never edited here."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin_rows import ReadOnlyAdmin, pretty_field
from runs.models import (
    Callback,
    DagRun,
    Pool,
    RenderedFields,
    RunEvent,
    StateChange,
    TaskInstance,
    TaskInstanceHistory,
    TaskLease,
    TaskReschedule,
    Trigger,
    XCom,
)

DEFAULT_POOL = "default_pool"


@admin.register(DagRun)
class DagRunAdmin(ReadOnlyAdmin):
    """Runs."""

    list_display = ["dag_id", "run_id", "run_type", "state", "run_after", "start_date", "end_date", "triggered_by"]
    list_filter = ["state", "run_type", "triggered_by"]
    search_fields = ["dag__dag_id__iexact", "run_id__istartswith"]
    date_hierarchy = "run_after"
    ordering = ["-run_after", "-id"]
    exclude = ["conf", "created_dag_version", "dag"]
    conf_shown = pretty_field("conf")
    readonly_fields = ["dag_id", "created_dag_version_id", "conf_shown"]


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
    list_filter = ["state", "cause", "pool"]
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
class PoolAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Pools; every task needs the default one, so it stays."""

    list_display = ["pool", "slots", "include_deferred", "description"]
    search_fields = ["pool", "description"]

    def get_readonly_fields(self, request: HttpRequest, obj: Pool | None = None) -> list[str]:
        """A pool keeps its name, because tasks refer to it by that."""
        return ["pool"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Pool | None = None) -> bool:
        """Everything but the default pool may go."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.pool != DEFAULT_POOL)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Pool]) -> None:
        """Delete the chosen pools except the default one."""
        queryset.exclude(pool=DEFAULT_POOL).delete()


@admin.register(StateChange)
class StateChangeAdmin(ReadOnlyAdmin):
    """Every change of state."""

    list_display = ["at", "run", "task_id", "map_index", "try_number", "from_state", "to_state", "actor", "cause"]
    list_filter = ["to_state", "cause"]
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
    list_filter = ["state", "kind"]
    search_fields = ["dedupe_key"]
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
