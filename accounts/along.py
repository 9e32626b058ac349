"""Decides what the query that reads the user of a session brings along: what stands on every whole page costs no query more."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from django.db.models.expressions import Combinable

Columns = Callable[[], Mapping[str, Combinable]]

_columns: ContextVar[Columns] = ContextVar("columns_along_with_the_user", default=dict)


@contextmanager
def bringing(columns: Columns) -> Iterator[None]:
    """Annotate the user with these columns if he is read within the block; they are asked for only then."""
    token = _columns.set(columns)
    try:
        yield
    finally:
        _columns.reset(token)


def brought() -> Mapping[str, Combinable]:
    """Return the columns that count now."""
    return _columns.get()()
