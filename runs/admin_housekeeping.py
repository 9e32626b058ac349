"""Decides how the platform's periodic jobs look in the admin, and that they can be ordered there."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.admin_rows import ReadOnlyAdmin, carry_out
from orchestrator.processes.models import Housekeeping
from runs.housekeeping import JOBS, ROTATE_KEYS, OrderRefusedError, ensure_rows, order


@admin.register(Housekeeping)
class HousekeepingAdmin(ReadOnlyAdmin):
    """What the scheduler does from time to time, when it last did, and how that ended."""

    list_display = ["title", "schedule", "begun_at", "ended_at", "how", "result", "ordered_at", "ordered_by"]
    fields = ["title", "purpose", "schedule", "begun_at", "ended_at", "how", "result", "ordered_at", "ordered_by", "state"]
    readonly_fields = ["title", "purpose", "schedule", "how", "state"]
    ordering = ["name"]
    actions = ["run_now"]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show every job, also those that were never done."""
        with transaction.atomic():
            ensure_rows()
        return super().changelist_view(request, extra_context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Housekeeping]:
        """Leave out rows of jobs that there are no more."""
        return super().get_queryset(request).filter(name__in=JOBS)

    @admin.action(description="Have the chosen jobs done now", permissions=["order"])
    def run_now(self, request: HttpRequest, rows: QuerySet[Housekeeping]) -> None:
        """Order jobs from the scheduler."""
        actor = request.user.get_username()
        carry_out(request, rows, lambda row: order(row.name, actor=actor), refusals=(OrderRefusedError,))

    def has_order_permission(self, request: HttpRequest) -> bool:
        """Admins may, and whom a site gave the permission."""
        return bool(request.user.has_perm("processes.change_housekeeping"))

    @admin.display(description="job", ordering="name")
    def title(self, row: Housekeeping) -> str:
        """Return what it is called."""
        return JOBS[row.name].title

    @admin.display(description="purpose")
    def purpose(self, row: Housekeeping) -> str:
        """Return what it does."""
        return JOBS[row.name].purpose

    @admin.display(description="when")
    def schedule(self, row: Housekeeping) -> str:
        """Return when it is done by itself."""
        return JOBS[row.name].schedule()

    @admin.display(description="how it ended")
    def how(self, row: Housekeeping) -> str:
        """Return a word on the last time."""
        if row.begun_at is None:
            return "never done"
        return "at work" if row.ended_at is None else "failed" if row.has_failed else "well"

    @admin.display(description="state")
    def state(self, row: Housekeeping) -> str:
        """Return how many stored values each key wrote, where it is about keys."""
        if row.name != ROTATE_KEYS:
            return ""
        from vault.keys import key_ids
        from vault.rotation import counts

        known = key_ids()
        words = {key_id: "the first key" if number == 0 else "an older key" for number, key_id in enumerate(known)}
        found = [f"{total} by {key or 'an unnamed key'} ({words.get(key, 'missing')})" for key, total in sorted(counts().items())]
        return "; ".join(found) or "Nothing is encrypted."
