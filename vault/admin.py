"""Decides how connections and variables look in the admin, and what the form of a connection is told about its type."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.utils.text import Truncator

from accounts.admin_rows import ReadOnlyAdmin, pretty
from accounts.audited_admin import AuditedAdmin
from vault.admin_forms import ConnectionForm, VariableForm
from vault.connection_tests import is_enabled
from vault.connection_types import known_types, type_hint
from vault.keys import UndecryptableError
from vault.models import Connection, ConnectionTest, Variable
from vault.shown import shown_extra, shown_value
from vault.type_forms import form_of_type

_VERBS = ("post", "patch", "delete")
_SHOWN_CHARACTERS = 80
_OPEN = ("conn_id", "conn_type", "description", "host", "port", "schema", "login")


class TypeFilter(admin.AllValuesFieldListFilter):
    """The types that are there; they may be many."""

    template = "admin/closed_filter.html"


@admin.register(Connection)
class ConnectionAdmin(AuditedAdmin):
    """Connections."""

    event_name = "connection"
    verbs = _VERBS
    secret_fields = ("password", "extra")
    form = ConnectionForm
    list_display = ["conn_id", "conn_type", "host", "port", "about", "secrets"]
    list_filter = [("conn_type", TypeFilter)]
    search_fields = ["conn_id", "conn_type", "host", "login", "description"]
    search_help_text = "Id, type, host, login or description"
    list_per_page = 50
    change_form_template = "admin/vault/connection_form.html"

    def get_fields(self, request: HttpRequest, obj: Connection | None = None) -> Any:
        """Show to who may only look what the API shows, not the columns."""
        return super().get_fields(request, obj) if self.may_edit(request, obj) else [*_OPEN, "extra_seen", "secrets"]

    @admin.display(description="Extra")
    def extra_seen(self, row: Connection) -> str:
        """Show ``extra`` without its secrets."""
        return pretty(shown_extra(row))

    @admin.display(description="Description", ordering="description")
    def about(self, row: Connection) -> str:
        """Begin the description; the page of the connection has all of it."""
        return Truncator(row.description or "").chars(_SHOWN_CHARACTERS)

    @admin.display(description="Secrets")
    def secrets(self, row: Connection) -> str:
        """Say how the secrets are kept, and where no key opens them."""
        if not row.password and not row.extra:
            return ""
        return _state(row.is_encrypted or row.is_extra_encrypted, row.get_password, row.get_extra)

    def save_model(self, request: HttpRequest, obj: Connection, form: Any, change: bool) -> None:
        """Save, and say where nobody registers such a type: it may be a slip, and it may be meant."""
        super().save_model(request, obj, form, change)
        if hint := type_hint(obj.conn_type):
            messages.warning(request, hint)

    def get_urls(self) -> list[URLPattern]:
        """Add the address that the form asks for the fields of a type."""
        view = self.admin_site.admin_view(self.type_view)
        return [path("type/", view, name="vault_connection_type"), *super().get_urls()]

    def type_view(self, request: HttpRequest) -> HttpResponse:
        """Answer what the form of one type looks like."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return JsonResponse(form_of_type(request.GET.get("name", "")))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Give the template the types, and whether connections can be tested."""
        context.update(connection_types=known_types().values(), can_test=is_enabled())
        return super().render_change_form(request, context, *args, **kwargs)


@admin.register(Variable)
class VariableAdmin(AuditedAdmin):
    """Variables."""

    event_name = "variable"
    verbs = _VERBS
    secret_fields = ("val",)
    form = VariableForm
    list_display = ["key", "value", "about", "secrets"]
    search_fields = ["key", "description"]
    search_help_text = "Key or description"
    list_per_page = 50

    def get_fields(self, request: HttpRequest, obj: Variable | None = None) -> Any:
        """Show to who may only look what the API shows, not the column."""
        return super().get_fields(request, obj) if self.may_edit(request, obj) else ["key", "value", "description", "secrets"]

    @admin.display(description="Value")
    def value(self, row: Variable) -> str:
        """Begin the value, without its secrets."""
        return Truncator(shown_value(row) or "").chars(_SHOWN_CHARACTERS)

    @admin.display(description="Description", ordering="description")
    def about(self, row: Variable) -> str:
        """Begin the description."""
        return Truncator(row.description or "").chars(_SHOWN_CHARACTERS)

    @admin.display(description="Kept")
    def secrets(self, row: Variable) -> str:
        """Say how the value is kept, and where no key opens it."""
        return _state(row.is_encrypted, row.get_val)


@admin.register(ConnectionTest)
class ConnectionTestAdmin(ReadOnlyAdmin):
    """Tests of connections by workers; the token and the parts are not shown."""

    list_display = ["connection_id", "state", "result_message", "ordered_by", "created_at", "updated_at"]
    list_filter = ["state"]
    search_fields = ["connection_id__iexact"]
    exclude = ["token", "parts"]
    ordering = ["-created_at", "id"]


def _state(encrypted: bool, *reads: Callable[[], str | None]) -> str:
    try:
        for read in reads:
            read()
    except UndecryptableError as error:
        return f"cannot decrypt ({error.short})"
    return "encrypted" if encrypted else "not encrypted"
