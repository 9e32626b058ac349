"""Decides how a query brings rows of other tables along as lists, so that no query of their own is needed for them."""

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import JSONField, QuerySet, Subquery
from django.db.models.functions import JSONArray


class ListOf(Subquery):
    """Rows of a queryset, which may name the outer row (``OuterRef``) and be cut, in its order: each a list of the named columns.

    They come as JSON: an instant is a text in them, and a UUID is one whose form depends on the database.
    """

    output_field = JSONField()
    _EACH = {
        "sqlite": "(SELECT JSON_GROUP_ARRAY(JSON(listed)) FROM (%(subquery)s) each_listed)",
        "postgresql": "(SELECT COALESCE(JSONB_AGG(listed), '[]') FROM (%(subquery)s) each_listed)",
        "mysql": "(SELECT COALESCE(JSON_ARRAYAGG(listed), JSON_ARRAY()) FROM (%(subquery)s) each_listed)",
    }

    def __init__(self, rows: QuerySet[Any], *columns: str) -> None:
        super().__init__(rows.annotate(listed=JSONArray(*columns)).values("listed"))

    def as_sql(self, compiler: Any, connection: Any, template: str | None = None, **context: Any) -> Any:
        """Write it as the database in use has it."""
        return super().as_sql(compiler, connection, template or self._EACH[connection.vendor], **context)


def ask_once(**columns: Any) -> dict[str, Any]:
    """Return columns that belong to no row in particular, such as lists, by one query."""
    # The ORM has no SELECT without FROM; content types are there from the first migration on.
    rows: QuerySet[ContentType, Any] = ContentType.objects.order_by("pk").values(**columns)
    answer: dict[str, Any] = rows[:1].get()
    return answer
