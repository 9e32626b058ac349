"""Decides how users and the audit log look in the admin."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from accounts.admin_rows import ReadOnlyAdmin, pretty_field
from accounts.models import AuditLog, User

admin.site.site_header = "Orchestrator"
admin.site.site_title = "Orchestrator"
admin.site.index_title = "Administration"
admin.site.register(User, UserAdmin)


@admin.register(AuditLog)
class AuditLogAdmin(ReadOnlyAdmin):
    """Who did what."""

    list_display = ["when", "event", "owner", "dag_id", "run_id", "task_id", "map_index", "try_number"]
    list_filter = ["event"]
    search_fields = ["owner__iexact", "dag_id__iexact", "run_id__iexact", "event"]
    date_hierarchy = "when"
    extra_shown = pretty_field("extra")
    before_shown = pretty_field("before")
    after_shown = pretty_field("after")
    exclude = ["extra", "before", "after"]
    readonly_fields = ["extra_shown", "before_shown", "after_shown"]
