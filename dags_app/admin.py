"""Decides how DAGs, their versions, files and bundles look in the admin."""

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from accounts.admin_rows import ReadOnlyAdmin, pretty_field
from dags_app.api.pausing import dag_pause
from dags_app.models import Bundle, Dag, DagCode, DagOwnerLink, DagTag, DagVersion, ParsedFile, ParseImportError


@admin.register(Dag)
class DagAdmin(ReadOnlyAdmin):
    """DAGs; the switch is the only thing that a person sets."""

    list_display = [
        "dag_id",
        "is_paused",
        "is_stale",
        "has_import_errors",
        "owners",
        "timetable_summary",
        "next_dagrun_create_after",
        "bundle",
    ]
    list_filter = ["is_paused", "is_stale", "has_import_errors", "bundle"]
    search_fields = ["dag_id", "dag_display_name", "owners"]
    list_select_related = ["bundle"]
    raw_id_fields = ["latest_version"]
    actions = ["pause", "unpause"]

    @admin.action(description="Pause")
    def pause(self, request: HttpRequest, dags: QuerySet[Dag]) -> None:
        """Stop the schedule of the chosen DAGs."""
        self._switch(request, dags, True)

    @admin.action(description="Unpause")
    def unpause(self, request: HttpRequest, dags: QuerySet[Dag]) -> None:
        """Start the schedule of the chosen DAGs."""
        self._switch(request, dags, False)

    def _switch(self, request: HttpRequest, dags: QuerySet[Dag], is_paused: bool) -> None:
        with transaction.atomic():
            for dag_id in list(dags.values_list("pk", flat=True)):
                dag_pause(dag_id, is_paused, actor=request.user.get_username())


@admin.register(DagVersion)
class DagVersionAdmin(ReadOnlyAdmin):
    """Versions; a list never reads the documents."""

    list_display = ["dag_id", "version_number", "bundle_name", "bundle_version", "created_at", "last_updated"]
    list_filter = ["bundle_name"]
    search_fields = ["dag__dag_id"]
    date_hierarchy = "created_at"
    exclude = ["document"]
    document_shown = pretty_field("document")
    readonly_fields = ["document_shown"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[DagVersion]:
        """Leave the document out until a single row shows it."""
        return super().get_queryset(request).defer("document")


@admin.register(DagCode)
class DagCodeAdmin(ReadOnlyAdmin):
    """Texts of DAG files."""

    list_display = ["source_hash", "created_at"]
    search_fields = ["source_hash"]
    exclude = ["source_code"]
    readonly_fields = ["source_shown"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[DagCode]:
        """Leave the text out until a single row shows it."""
        return super().get_queryset(request).defer("source_code")

    @admin.display(description="source code")
    def source_shown(self, row: DagCode) -> str:
        """Show the text as it is."""
        return format_html("<pre>{}</pre>", row.source_code)


@admin.register(ParseImportError)
class ParseImportErrorAdmin(ReadOnlyAdmin):
    """Files that cannot be read."""

    list_display = ["filename", "bundle", "timestamp"]
    list_filter = ["bundle"]
    search_fields = ["filename", "stacktrace"]
    list_select_related = ["bundle"]
    date_hierarchy = "timestamp"


@admin.register(ParsedFile)
class ParsedFileAdmin(ReadOnlyAdmin):
    """Files and their last parse."""

    list_display = ["relative_fileloc", "bundle", "last_parsed_at", "last_duration_seconds", "last_good_at", "missing_since"]
    list_filter = ["bundle"]
    search_fields = ["relative_fileloc"]
    list_select_related = ["bundle"]


@admin.register(Bundle)
class BundleAdmin(ReadOnlyAdmin):
    """Places that DAG files come from."""

    list_display = ["name", "kind", "path", "is_active", "last_scan_completed_at", "unreadable_since"]
    search_fields = ["name", "path"]


@admin.register(DagTag)
class DagTagAdmin(ReadOnlyAdmin):
    """Tags."""

    list_display = ["name", "dag_id"]
    search_fields = ["name", "dag__dag_id"]


@admin.register(DagOwnerLink)
class DagOwnerLinkAdmin(ReadOnlyAdmin):
    """Links of owners."""

    list_display = ["owner", "dag_id", "link"]
    search_fields = ["owner", "dag__dag_id"]
