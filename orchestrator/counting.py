"""Decides how a query brings numbers of other rows along, so that no query of their own is needed for them."""

from typing import Any

from django.db.models import IntegerField, QuerySet, Subquery


class CountOf(Subquery):
    """The number of rows of a queryset, which may name the outer row (``OuterRef``) and be cut (``[:100]``)."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()

    def __init__(self, rows: QuerySet[Any]) -> None:
        super().__init__(rows.order_by().values("pk") if rows.query.can_filter() else rows)
