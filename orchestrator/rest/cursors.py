"""Decides what a cursor is: the sort key of the row it stands on, and the rows that come after it."""

import base64
import binascii
import json
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import connection
from django.db.models import Model, Q

from orchestrator.rest.errors import RestError
from orchestrator.rest.ordering import Term

_BACKWARD = "~"
_INSTANT = "@"
_DURATION = "#"


def write(terms: list[Term], row: Any, *, backward: bool = False) -> str:
    """Return the cursor that stands on a row."""
    key = json.dumps([_plain(term.value_of(row)) for term in terms], separators=(",", ":"))
    token = base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")
    return (_BACKWARD if backward else "") + token


def read(cursor: str) -> tuple[bool, list[Any] | None]:
    """Return direction and sort key; the key is None for the empty cursor, which stands before the first row."""
    backward, token = cursor.startswith(_BACKWARD), cursor.removeprefix(_BACKWARD)
    if not cursor:
        return False, None
    try:
        key = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, binascii.Error) as error:
        raise RestError(400, "Invalid cursor token") from error
    if not isinstance(key, list):
        raise RestError(400, "Invalid cursor token structure")
    return backward, [_rich(value) for value in key]


def after(terms: list[Term], key: list[Any], backward: bool, model: type[Model] | None = None) -> Q:
    """Return the condition for rows that come after the key in the order, or before it; of a model, so that an index serves."""
    if len(key) != len(terms):
        raise RestError(400, "Cursor token does not match current query shape")
    condition = Q()
    for term, value in reversed(list(zip(terms, key, strict=True))):
        same = Q(**({f"{term.path}__isnull": True} if value is None else {term.path: value}))
        beyond = _beyond(term.path, value, term.descending != backward)
        condition = (beyond | (same & condition)) if condition else beyond
    bound = _bound(terms[0], key[0], backward, model)
    return condition if bound is None else bound & condition


def _bound(term: Term, value: Any, backward: bool, model: type[Model] | None) -> Q | None:
    """Return where an index on the first column can begin, which the rest implies; None where rows without a value come later.

    Without it the database goes through all pages before this one, since no index serves an OR.
    """
    descending = term.descending != backward
    if value is None or (_are_nulls_last(descending) and _may_be_null(model, term.path)):
        return None
    return Q(**{f"{term.path}__{'lte' if descending else 'gte'}": value})


def _may_be_null(model: type[Model] | None, path: str) -> bool:
    """Return whether a column can be empty; what is no column of the model itself counts as such."""
    try:
        return model is None or bool(model._meta.get_field(path).null)
    except FieldDoesNotExist:
        return True


def _are_nulls_last(descending: bool) -> bool:
    """PostgreSQL takes NULL for the largest value, SQLite and MySQL for the smallest."""
    return (not descending) if connection.vendor == "postgresql" else descending


def _beyond(path: str, value: Any, descending: bool) -> Q:
    """Rows whose column comes later."""
    nulls_last = _are_nulls_last(descending)
    if value is None:
        return Q(pk__in=[]) if nulls_last else Q(**{f"{path}__isnull": False})
    later = Q(**{f"{path}__{'lt' if descending else 'gt'}": value})
    return later | Q(**{f"{path}__isnull": True}) if nulls_last else later


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return {_INSTANT: value.isoformat()}
    if isinstance(value, timedelta):
        return {_DURATION: value // timedelta(microseconds=1)}
    return value if isinstance(value, int | float | str | None) else str(value)


def _rich(value: Any) -> Any:
    if isinstance(value, dict):
        try:
            if _DURATION in value:
                return timedelta(microseconds=value[_DURATION])
            return datetime.fromisoformat(value[_INSTANT])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise RestError(400, "Invalid cursor token") from error
    return value
