"""Decides how the present, or the logical date, chooses a branch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from orchestrator.sdk import timezone
from orchestrator.sdk.exceptions import AirflowException
from orchestrator.sdk.operators.branch import BaseBranchOperator

Bound = dt.datetime | dt.time | None


class BranchDateTimeOperator(BaseBranchOperator):
    """Follows one branch between ``target_lower`` and ``target_upper`` (times of the day or dates), the other outside."""

    def __init__(
        self,
        *,
        follow_task_ids_if_true: str | Iterable[str],
        follow_task_ids_if_false: str | Iterable[str],
        target_lower: Bound,
        target_upper: Bound,
        use_task_logical_date: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if target_lower is None and target_upper is None:
            raise AirflowException(
                f"Both target_upper and target_lower of task {self.task_id!r} are None. Give at least one to compare with."
            )
        self.target_lower, self.target_upper = target_lower, target_upper
        self.follow_task_ids_if_true, self.follow_task_ids_if_false = follow_task_ids_if_true, follow_task_ids_if_false
        self.use_task_logical_date = use_task_logical_date

    def choose_branch(self, context: Any) -> str | Iterable[str]:
        """Return the branch for the moment."""
        now = timezone.coerce_datetime(timezone.utcnow())
        if self.use_task_logical_date:
            now = context.get("logical_date") or context["dag_run"].run_after
        lower, upper = target_times_as_dates(now, self.target_lower, self.target_upper)
        zone = self.dag.timezone  # a time of the day without a zone is meant in the DAG's
        lower, upper = timezone.coerce_datetime(lower, zone), timezone.coerce_datetime(upper, zone)
        if (upper is not None and upper < now) or (lower is not None and lower > now):  # type: ignore[operator]
            return self.follow_task_ids_if_false
        return self.follow_task_ids_if_true


def target_times_as_dates(base_date: Any, lower: Bound, upper: Bound) -> tuple[Any, Any]:
    """Return the bounds as dates on the day of ``base_date``; an upper time before the lower bound is on the next day."""
    start, end = _on(base_date, lower), _on(base_date, upper)
    has_time = isinstance(lower, dt.time) or isinstance(upper, dt.time)
    if has_time and start is not None and end is not None and end < start:
        end += dt.timedelta(days=1)
    return start, end


def _on(day: dt.datetime, bound: Bound) -> Any:
    return dt.datetime.combine(day, bound) if isinstance(bound, dt.time) else bound
