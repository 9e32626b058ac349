"""Decides how the running parts look in the admin."""

from django.contrib import admin

from accounts.admin_rows import ReadOnlyAdmin, pretty_field
from orchestrator.processes.models import Process


@admin.register(Process)
class ProcessAdmin(ReadOnlyAdmin):
    """Schedulers, processors, triggerers, servers, workers."""

    list_display = ["kind", "hostname", "pid", "version", "started_at", "heartbeat_at", "progress_at", "ended_at"]
    list_filter = ["kind"]
    search_fields = ["hostname", "kind"]
    date_hierarchy = "started_at"
    ordering = ["-heartbeat_at"]
    exclude = ["detail"]
    detail_shown = pretty_field("detail")
    readonly_fields = ["detail_shown"]
