"""Decides how users, groups, rules, API tokens and the audit log look in the admin; each change is audited."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from accounts.admin_rows import ReadOnlyAdmin, pretty_field
from accounts.audited_admin import AuditedAdmin
from accounts.models import ApiToken, AuditLog, DagRule, LoginFailure, SavedView, User
from accounts.named_tokens import token_revoke
from accounts.services import audit_write

admin.site.site_header = "Orchestrator"
admin.site.site_title = "Orchestrator"
admin.site.index_title = "Administration"
admin.site.unregister(Group)


@admin.register(User)
class PeopleAdmin(AuditedAdmin, UserAdmin):  # type: ignore[type-arg]
    """Users with their roles."""

    event_name = "user"
    list_display = ["username", "email", "first_name", "last_name", "roles", "is_active", "is_staff", "last_login"]
    list_filter = ["groups", "is_active", "is_staff", "is_superuser"]
    search_help_text = "User name, e-mail, first or last name"
    readonly_fields = ["last_login", "date_joined"]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Load the roles of all rows at once."""
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="roles")
    def roles(self, user: User) -> str:
        """Return the groups of a user."""
        names = [group.name for group in user.groups.all()]
        return ", ".join(["superuser", *names] if user.is_superuser else names)


@admin.register(Group)
class RolesAdmin(AuditedAdmin, GroupAdmin):
    """Roles and teams; the four roles of the platform are groups by their names."""

    event_name = "role"


@admin.register(DagRule)
class DagRuleAdmin(AuditedAdmin):
    """Which group or user has which role on which DAGs."""

    event_name = "dag_rule"
    list_display = ["id", "group", "user", "role", "dag_id", "tag", "owner", "bundle"]
    list_display_links = ["id", "dag_id"]
    list_filter = ["role", "group"]
    list_select_related = ["group", "user"]
    search_fields = ["dag_id", "tag", "owner", "bundle", "group__name", "user__username"]
    autocomplete_fields = ["user", "group"]


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """Tokens of everybody; they are made by API or command, because their text is shown once only."""

    list_display = ["name", "user", "role", "hint", "created_at", "expires_at", "last_used_at", "revoked_at"]
    list_filter = ["role", "revoked_at"]
    list_select_related = ["user"]
    search_fields = ["name", "user__username", "hint"]
    exclude = ["token_hash"]
    actions = ["revoke"]

    @admin.action(description="Revoke the chosen tokens", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        """End tokens for good."""
        ended = [row for row in queryset if token_revoke(row)]
        for row in ended:
            audit_write("revoke_api_token", actor=request.user.get_username(), extra={"id": row.pk, "name": str(row)})
        self.message_user(request, f"{len(ended)} tokens revoked.")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Whoever may change tokens may revoke them."""
        return request.user.has_perm("accounts.change_apitoken")


@admin.register(AuditLog)
class AuditLogAdmin(ReadOnlyAdmin):
    """Who did what."""

    list_display = ["when", "event", "owner", "token_name", "dag_id", "run_id", "task_id", "map_index", "try_number", "reason"]
    search_fields = ["owner__iexact", "dag_id__iexact", "run_id__iexact", "event", "request_id__iexact", "token_name__iexact"]
    date_hierarchy = "when"
    extra_shown = pretty_field("extra")
    before_shown = pretty_field("before")
    after_shown = pretty_field("after")
    exclude = ["extra", "before", "after"]
    readonly_fields = ["extra_shown", "before_shown", "after_shown"]


@admin.register(LoginFailure)
class LoginFailureAdmin(ReadOnlyAdmin):
    """Failed logins that are counted now, under hashes of names and addresses."""

    list_display = ["key", "count", "since"]
    search_fields = ["key__istartswith"]
    ordering = ["-since", "key"]


@admin.register(SavedView)
class SavedViewAdmin(ReadOnlyAdmin):
    """The saved views of list pages; people make and delete them on those pages."""

    list_display = ["name", "page", "user", "is_shared", "query"]
    list_filter = ["page", "is_shared"]
    list_select_related = ["user"]
    search_fields = ["name", "user__username"]
