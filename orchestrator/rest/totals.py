"""Decides the total of a list: exact as long as counting is cheap, the planner's estimate for what is larger."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import QuerySet

from orchestrator.database import is_postgresql


def total_of(rows: QuerySet[Any], cap: int) -> int:
    """Return how many rows there are: exactly up to ``cap``, beyond it what the planner thinks (SQLite counts).

    Counting millions of rows for each page would cost a hundred times what the page costs.
    """
    if not is_postgresql():
        return rows.order_by().count()
    counted = rows.order_by().values("pk")[: cap + 1].count()
    return counted if counted <= cap else max(cap + 1, _estimate(rows))


def agreeing(total: int, cap: int, offset: int, found: int, limit: int) -> int:
    """Return the total as the page shows it, so that a client that pages until the total reads every row.

    Up to ``cap`` the total is exact. An estimate is corrected by a page that is not full, and by one that lies beyond it.
    """
    if total <= cap or not limit:
        return total
    if found < limit and (found or not offset):
        return offset + found
    return max(total, offset + found + 1) if found == limit else min(total, offset)


def _estimate(rows: QuerySet[Any]) -> int:
    plan = json.loads(rows.order_by().values("pk").explain(format="json"))
    return int(plan[0]["Plan"]["Plan Rows"])
