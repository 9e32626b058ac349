"""Decides how what people order of runs, and what is asked of them, looks in the admin: backfills, bulk actions, holds …"""

from collections.abc import Callable

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from accounts.admin_rows import ReadOnlyAdmin, carry_out, flag, masked_field, pretty_field
from runs.backfills.refusals import BackfillClosedError
from runs.backfills.services import backfill_cancel, backfill_pause
from runs.bulk.progress import line
from runs.models import AlertMute, Backfill, BackfillRun, BulkAction, BulkFailure, BulkPart, Deadline, HITLDetail, Hold


@admin.register(Backfill)
class BackfillAdmin(ReadOnlyAdmin):
    """Orders for the past."""

    list_display = ["id", "dag_id", "from_date", "to_date", "paused", "created_at", "completed_at", "triggering_user_name"]
    list_display_links = ["id", "dag_id"]
    list_filter = ["is_paused", ("completed_at", admin.EmptyFieldListFilter), "reprocess_behavior"]
    search_fields = ["dag__dag_id__iexact", "triggering_user_name__iexact"]
    ordering = ["-id"]
    paused = flag("is_paused", "paused")
    exclude = ["dag_run_conf"]
    conf_shown = masked_field("dag_run_conf")
    readonly_fields = ["conf_shown"]
    actions = ["pause", "unpause", "cancel"]

    @admin.action(description="Pause the chosen backfills", permissions=["order"])
    def pause(self, request: HttpRequest, rows: QuerySet[Backfill]) -> None:
        """Begin no further run of them."""
        self._each(request, rows, lambda row, actor: backfill_pause(row, True, actor=actor))

    @admin.action(description="Let the chosen backfills go on", permissions=["order"])
    def unpause(self, request: HttpRequest, rows: QuerySet[Backfill]) -> None:
        """Begin runs of them again."""
        self._each(request, rows, lambda row, actor: backfill_pause(row, False, actor=actor))

    @admin.action(description="Cancel the chosen backfills", permissions=["order"])
    def cancel(self, request: HttpRequest, rows: QuerySet[Backfill]) -> None:
        """End them: what has not begun does not begin."""
        self._each(request, rows, lambda row, actor: backfill_cancel(row, actor=actor))

    def has_order_permission(self, request: HttpRequest) -> bool:
        """Whoever may change backfills may; rules say those of which DAGs."""
        return bool(request.user.has_perm("runs.change_backfill"))

    def _each(self, request: HttpRequest, rows: QuerySet[Backfill], change: Callable[[Backfill, str], object]) -> None:
        actor = request.user.get_username()
        carry_out(request, rows, lambda row: change(row, actor), refusals=(BackfillClosedError,))


@admin.register(BackfillRun)
class BackfillRunAdmin(ReadOnlyAdmin):
    """The dates of backfills."""

    list_display = ["id", "backfill_id", "sort_ordinal", "logical_date", "partition_key", "dag_run_id", "exception_reason"]
    search_fields = ["partition_key__iexact"]
    ordering = ["-id"]


@admin.register(BulkAction)
class BulkActionAdmin(ReadOnlyAdmin):
    """Orders for many task instances or runs; the list shows how far each is when it is opened."""

    list_display = ["id", "kind", "target", "actor", "progress", "created_at", "ended_at"]
    list_filter = ["state", "kind", "target"]
    search_fields = ["actor__iexact", "reason__istartswith"]
    ordering = ["-id"]
    exclude = ["selection", "options", "user_id", "token_id", "frozen_to", "is_frozen", "parts"]
    selection_shown = pretty_field("selection")
    # What was asked beside the selection may have a configuration in it.
    options_shown = masked_field("options")
    readonly_fields = ["progress", "failures_shown", "selection_shown", "options_shown"]

    @admin.display(description="progress")
    def progress(self, row: BulkAction) -> str:
        """Say how far it is."""
        return line(row)

    @admin.display(description="failures")
    def failures_shown(self, row: BulkAction) -> str:
        """Lead to what could not be done."""
        url = reverse("admin:runs_bulkfailure_changelist")
        return format_html('<a href="{}?action__id__exact={}">{}</a>', url, row.pk, row.failed) if row.failed else "none"


@admin.register(BulkFailure)
class BulkFailureAdmin(ReadOnlyAdmin):
    """What bulk actions could not do, and why."""

    list_display = ["id", "action_id", "dag_id", "run_id", "task_id", "map_index", "error", "at"]
    search_fields = ["dag_id__iexact", "task_id__iexact"]
    ordering = ["-id"]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow the way from an action to its failures."""
        return lookup == "action__id__exact" or super().lookup_allowed(lookup, value, request)


@admin.register(BulkPart)
class BulkPartAdmin(ReadOnlyAdmin):
    """What open bulk actions still have to do."""

    list_display = ["id", "action_id", "number", "run_part", "run_parts"]
    search_fields = ["action__actor__iexact"]
    ordering = ["id"]
    exclude = ["runs"]
    runs_shown = pretty_field("runs")
    readonly_fields = ["runs_shown"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[BulkPart]:
        """Leave the items out until a single row shows them."""
        return super().get_queryset(request).defer("runs")


@admin.register(Deadline)
class DeadlineAdmin(ReadOnlyAdmin):
    """Moments by which something must be over."""

    list_display = ["dag_id", "task_id", "map_index", "deadline_time", "state", "ended_at"]
    list_filter = ["state"]
    search_fields = ["dag_id__iexact", "task_id__iexact"]
    ordering = ["-deadline_time", "id"]


@admin.register(HITLDetail)
class HITLDetailAdmin(ReadOnlyAdmin):
    """Questions to people, and their answers."""

    list_display = ["subject", "task_id", "map_index", "created_at", "expires_at", "responded_at"]
    search_fields = ["task_id__iexact", "subject__istartswith"]
    ordering = ["-created_at", "ti_id"]


@admin.register(Hold)
class HoldAdmin(ReadOnlyAdmin):
    """Runs and tasks that people stopped for a while."""

    list_display = ["dag_run_id", "task_id", "map_index", "held_by", "reason", "created_at", "until"]
    search_fields = ["task_id__iexact", "held_by__iexact"]
    ordering = ["-id"]


@admin.register(AlertMute)
class AlertMuteAdmin(ReadOnlyAdmin):
    """DAGs whose alerts are silent."""

    list_display = ["dag_id", "until", "muted_by", "reason"]
    search_fields = ["dag__dag_id__iexact"]
    ordering = ["dag_id"]
