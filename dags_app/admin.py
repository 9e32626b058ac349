"""Decides how DAGs, their versions, files and bundles look in the admin."""

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from accounts.admin_rows import ReadOnlyAdmin, flag, pretty_field
from dags_app.api.pausing import dag_pause
from dags_app.models import (
    Asset,
    AssetAlias,
    AssetReference,
    AssetWatcher,
    Bundle,
    Dag,
    DagCode,
    DagFavorite,
    DagLink,
    DagOwnerLink,
    DagTag,
    DagVersion,
    DagWarning,
    ParsedFile,
    ParseImportError,
    Plugin,
)


@admin.register(Dag)
class DagAdmin(ReadOnlyAdmin):
    """DAGs; the switch is the only thing that a person sets."""

    list_display = [
        "dag_id",
        "paused",
        "stale",
        "broken",
        "owners",
        "timetable_summary",
        "next_dagrun_create_after",
        "bundle",
    ]
    paused, stale, broken = flag("is_paused", "paused"), flag("is_stale", "stale"), flag("has_import_errors", "import errors")
    ordering = ["dag_id"]
    list_filter = ["is_paused", "is_stale", "has_import_errors", "bundle"]
    search_fields = ["dag_id", "dag_display_name", "owners"]
    list_select_related = ["bundle"]
    raw_id_fields = ["latest_version"]
    actions = ["pause", "unpause"]

    @admin.action(description="Pause the chosen DAGs", permissions=["switch"])
    def pause(self, request: HttpRequest, dags: QuerySet[Dag]) -> None:
        """Stop the schedule of the chosen DAGs."""
        self._switch(request, dags, True)

    @admin.action(description="Unpause the chosen DAGs", permissions=["switch"])
    def unpause(self, request: HttpRequest, dags: QuerySet[Dag]) -> None:
        """Start the schedule of the chosen DAGs."""
        self._switch(request, dags, False)

    def has_switch_permission(self, request: HttpRequest) -> bool:
        """Whoever may change DAGs may switch them; rules say which ones."""
        return request.user.has_perm("dags_app.change_dag")

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


@admin.register(Asset)
class AssetAdmin(ReadOnlyAdmin):
    """Assets."""

    list_display = ["name", "uri", "group", "is_active", "created_at"]
    list_filter = ["is_active", "group"]
    search_fields = ["name", "uri"]
    ordering = ["name", "uri"]


@admin.register(AssetAlias)
class AssetAliasAdmin(ReadOnlyAdmin):
    """Aliases, with the assets that they have stood for."""

    list_display = ["name", "group"]
    search_fields = ["name"]
    ordering = ["name"]


@admin.register(AssetReference)
class AssetReferenceAdmin(ReadOnlyAdmin):
    """Who mentions which asset, and where."""

    list_display = ["dag_id", "role", "task_id", "asset", "alias", "name", "uri"]
    list_select_related = ["asset", "alias"]
    list_filter = ["role"]
    search_fields = ["dag__dag_id__iexact"]
    ordering = ["dag_id", "role", "id"]


@admin.register(AssetWatcher)
class AssetWatcherAdmin(ReadOnlyAdmin):
    """Watchers; their arguments may be secret and are not shown."""

    list_display = ["asset", "name", "classpath", "created_at"]
    list_select_related = ["asset"]
    exclude = ["encrypted_kwargs"]
    ordering = ["asset_id", "name"]


@admin.register(DagLink)
class DagLinkAdmin(ReadOnlyAdmin):
    """Which tasks trigger other DAGs or wait for them."""

    list_display = ["dag_id", "kind", "task_id", "other_dag_id"]
    list_filter = ["kind"]
    search_fields = ["dag__dag_id__iexact", "other_dag_id__iexact"]
    ordering = ["dag_id", "kind", "id"]


@admin.register(DagWarning)
class DagWarningAdmin(ReadOnlyAdmin):
    """What is doubtful in DAGs that work."""

    list_display = ["dag_id", "warning_type", "message", "timestamp"]
    list_filter = ["warning_type"]
    search_fields = ["dag__dag_id__iexact"]
    ordering = ["-id"]


@admin.register(DagFavorite)
class DagFavoriteAdmin(ReadOnlyAdmin):
    """Marks of users."""

    list_display = ["user_name", "dag_id"]
    search_fields = ["dag__dag_id__iexact", "user_name__iexact"]
    ordering = ["-id"]


@admin.register(Plugin)
class PluginAdmin(ReadOnlyAdmin):
    """Plugins as they were loaded last."""

    list_display = ["name", "source", "loaded_at", "error"]
    search_fields = ["name__iexact"]
    ordering = ["name", "id"]
