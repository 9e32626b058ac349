"""Decides which runs go on when only the latest one should."""

from __future__ import annotations

from typing import Any

from orchestrator.sdk import timezone
from orchestrator.sdk.operators.branch import BaseBranchOperator


class LatestOnlyOperator(BaseBranchOperator):
    """Skips what is directly downstream unless now is before the end of the next run's data interval; manual runs go on."""

    ui_color = "#e9ffdb"

    def choose_branch(self, context: Any) -> Any:
        """Return all downstream tasks, or none."""
        everything = list(context["task"].get_direct_relative_ids(upstream=False))
        run = context["dag_run"]
        if run.run_type == "manual":
            self.log.info("Manually triggered run: allowing execution to proceed.")
            return everything
        window = self._window(context["task"].dag, run)
        if window is None:
            return everything
        left, right = window
        now = timezone.utcnow()
        self.log.info("Checking latest only with left_window: %s right_window: %s now: %s", left, right, now)
        return everything if left < now <= right else []

    def _window(self, dag: Any, run: Any) -> tuple[Any, Any] | None:
        """The time in which the run is the latest; None where no run follows, so that it stays the latest."""
        from orchestrator.sdk.definitions.timetables import DataInterval, TimeRestriction

        at = run.logical_date or run.run_after
        last = DataInterval(run.data_interval_start or at, run.data_interval_end or at)
        following = dag.timetable.next_dagrun_info(
            last_automated_data_interval=last, restriction=TimeRestriction(earliest=last.end, latest=None, catchup=True)
        )
        if following is None:
            return None
        interval = following.data_interval or last
        return (last.start, interval.end)
