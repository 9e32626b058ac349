"""Decides how runs look in the admin, and which services it offers for them; states are never edited by hand."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin_rows import ReadOnlyAdmin, carry_out, known_values, masked_field
from accounts.services import audit_write
from dags_app.selectors import SpecUnreadableError
from runs.models import DagRun
from runs.rerun_versions import VersionUnavailableError, runs_on_latest
from runs.services import run_clear, run_set_state
from runs.states import DagRunState


@admin.register(DagRun)
class DagRunAdmin(ReadOnlyAdmin):
    """Runs."""

    list_display = ["dag_id", "run_id", "run_type", "state", "run_after", "start_date", "end_date", "triggered_by"]
    list_display_links = ["run_id"]
    list_filter = [known_values("state", lambda: list(DagRunState)), "run_type"]
    search_fields = ["dag__dag_id__iexact", "run_id__istartswith"]
    date_hierarchy = "run_after"
    ordering = ["-run_after", "-id"]
    exclude = ["conf", "created_dag_version", "dag"]
    conf_shown = masked_field("conf")
    readonly_fields = ["dag_id", "created_dag_version_id", "conf_shown"]
    actions = ["clear", "mark_success", "mark_failed"]

    @admin.action(description="Clear the chosen runs: they run again", permissions=["order"])
    def clear(self, request: HttpRequest, rows: QuerySet[DagRun]) -> None:
        """Have runs run again, on the version that a clear takes where nobody says anything."""
        self._each(
            request,
            rows,
            "clear_dag_run",
            lambda run, actor: run_clear(run, actor=actor, latest=runs_on_latest(run.dag, None)),
        )

    @admin.action(description="Mark the chosen runs as successful", permissions=["order"])
    def mark_success(self, request: HttpRequest, rows: QuerySet[DagRun]) -> None:
        """End runs well."""
        self._each(request, rows, "patch_dag_run", lambda run, actor: run_set_state(run, DagRunState.SUCCESS, actor=actor))

    @admin.action(description="Mark the chosen runs as failed", permissions=["order"])
    def mark_failed(self, request: HttpRequest, rows: QuerySet[DagRun]) -> None:
        """End runs badly."""
        self._each(request, rows, "patch_dag_run", lambda run, actor: run_set_state(run, DagRunState.FAILED, actor=actor))

    def has_order_permission(self, request: HttpRequest) -> bool:
        """Whoever may change runs may order this; rules say for which DAGs."""
        return bool(request.user.has_perm("runs.change_dagrun"))

    def _each(self, request: HttpRequest, rows: QuerySet[DagRun], event: str, change: Callable[[DagRun, str], object]) -> None:
        actor = request.user.get_username()

        def audited(run: DagRun) -> None:
            before = {"state": run.state}
            change(run, actor)
            run.refresh_from_db(fields=["state"])
            ids: dict[str, Any] = {"dag_id": run.dag_id, "run_id": run.run_id, "logical_date": run.logical_date}
            audit_write(event, actor=actor, before=before, after={"state": run.state}, **ids)

        carry_out(request, rows.select_related("dag"), audited, refusals=(VersionUnavailableError, SpecUnreadableError))
