"""Decides how the day of the week chooses a branch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from orchestrator.sdk import timezone
from orchestrator.sdk.definitions.weekdays import WeekDay
from orchestrator.sdk.operators.branch import BaseBranchOperator


class BranchDayOfWeekOperator(BaseBranchOperator):
    """Follows one branch on ``week_day`` (a name, a day, or several), the other on other days."""

    def __init__(
        self,
        *,
        follow_task_ids_if_true: str | Iterable[str],
        follow_task_ids_if_false: str | Iterable[str],
        week_day: Any,
        use_task_logical_date: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.follow_task_ids_if_true, self.follow_task_ids_if_false = follow_task_ids_if_true, follow_task_ids_if_false
        self.week_day, self.use_task_logical_date = week_day, use_task_logical_date
        self._week_day_num = WeekDay.validate_week_day(week_day)

    def choose_branch(self, context: Any) -> str | Iterable[str]:
        """Return the branch for the day."""
        now = timezone.make_naive(timezone.utcnow(), self.dag.timezone)
        if self.use_task_logical_date:
            now = context.get("logical_date") or context["dag_run"].run_after
        return self.follow_task_ids_if_true if now.isoweekday() in self._week_day_num else self.follow_task_ids_if_false
