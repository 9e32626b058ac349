"""Decides what ``*_pattern`` and ``*_prefix_pattern`` match: wildcards, ``|`` as OR, case."""

import re
from collections.abc import Callable

from django.db import connection
from django.db.models import Q

_REGEX_SIGNS = re.compile(r"([.^$*+?{}\[\]\\|()])")


def contains(path: str, pattern: str) -> Q:
    """Match a substring in any case: ``%`` is any text, ``_`` any character, ``|`` separates alternatives."""
    if pattern == "~":
        pattern = "%"
    return _any_of(pattern, lambda term: _like(path, term))


def starts_with(path: str, pattern: str) -> Q:
    """Match the beginning in its case, by a range that an index serves; wildcards mean themselves.

    Signs at the end of a term do not count, as in Airflow: ``a_`` finds what begins with ``a``.
    """
    return _any_of("" if pattern == "~" else pattern, lambda term: _prefix(path, _without_last_signs(term)))


def _any_of(pattern: str, build: Callable[[str], Q]) -> Q:
    terms = [term.strip() for term in pattern.split("|") if term.strip()] if "|" in pattern else []
    if not terms:
        return build(pattern)
    matched = Q()
    for term in terms:
        matched |= build(term)
    return matched


def _like(path: str, term: str) -> Q:
    if term.strip("%") == "":
        return Q(**{f"{path}__isnull": False})
    if "%" not in term and "_" not in term:
        return Q(**{f"{path}__icontains": term})
    expression = _REGEX_SIGNS.sub(r"\\\1", term).replace("%", ".*").replace("_", ".")
    return Q(**{f"{path}__iregex": expression})


def _without_last_signs(term: str) -> str:
    while term and not term[-1].isalnum():
        term = term[:-1]
    return term


def _prefix(path: str, term: str) -> Q:
    if not term:
        return Q(**{f"{path}__isnull": False})
    if connection.vendor == "postgresql":
        # The range below is wrong under a linguistic collation; LIKE with a fixed start is right under each.
        return Q(**{f"{path}__startswith": term})
    # SQLite's LIKE knows no case, its comparison of texts does.
    return Q(**{f"{path}__gte": term, f"{path}__lt": term + "\U0010ffff"})
