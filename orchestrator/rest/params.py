"""Decides how query parameters are declared, read and turned into filters of a query set."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet
from django.http import QueryDict

from orchestrator.rest import patterns, scalars
from orchestrator.rest.errors import MISSING, InvalidError, ProblemError, RestError
from orchestrator.rest.scalars import Parser

Apply = Callable[[QuerySet[Any], Any], QuerySet[Any]]


@dataclass(frozen=True, slots=True)
class Param:
    """One query parameter; ``apply`` narrows a query set by its value, where it is a filter."""

    name: str
    parse: Parser = scalars.text
    default: Any = None
    many: bool = False
    apply: Apply | None = None
    required: bool = False

    def read(self, query: QueryDict, problems: list[dict[str, Any]]) -> Any:
        """Return the value; note a problem and return the default where it is wrong."""
        raw = query.getlist(self.name)
        if not raw:
            if self.required:
                problems.append(MISSING.at(["query", self.name], None))
            return self.default
        if self.many:
            return [self._parsed(item, [self.name, index], problems) for index, item in enumerate(raw)]
        return self._parsed(raw[-1], [self.name], problems)

    def _parsed(self, item: str, where: list[str | int], problems: list[dict[str, Any]]) -> Any:
        try:
            return self.parse(item)
        except ProblemError as problem:
            problems.append(problem.at(["query", *where], item))
            return self.default


@dataclass(frozen=True, slots=True)
class Params:
    """The query parameters of one operation."""

    items: tuple[Param, ...] = field(default=())

    def read(self, query: QueryDict) -> dict[str, Any]:
        """Return all values by name. Raises ``InvalidError`` with every problem found."""
        problems: list[dict[str, Any]] = []
        values = {param.name: param.read(query, problems) for param in self.items}
        if problems:
            raise InvalidError(problems)
        return values

    def narrow(self, rows: QuerySet[Any], values: Mapping[str, Any]) -> QuerySet[Any]:
        """Return the rows that pass every filter that was given."""
        for param in self.items:
            value = values.get(param.name)
            if param.apply is not None and value is not None and value != []:
                rows = param.apply(rows, value)
        return rows


def params(*groups: Param | Sequence[Param]) -> Params:
    """Join single parameters and groups of them."""
    flat: list[Param] = []
    for group in groups:
        flat.extend([group] if isinstance(group, Param) else group)
    return Params(tuple(flat))


def page_params() -> list[Param]:
    """``limit`` and ``offset``."""
    return [Param("limit", scalars.capped), Param("offset", scalars.capped, 0)]


def order_param() -> Param:
    """``order_by``, repeatable; which names are allowed is the operation's ``Ordering``."""
    return Param("order_by", many=True)


def matching(name: str, path: str, **computed: Any) -> list[Param]:
    """``<name>_pattern`` and ``<name>_prefix_pattern`` on one column, or on one that is computed by an expression."""
    return [
        Param(f"{name}_pattern", apply=lambda rows, value: rows.alias(**computed).filter(patterns.contains(path, value))),
        Param(
            f"{name}_prefix_pattern", apply=lambda rows, value: rows.alias(**computed).filter(patterns.starts_with(path, value))
        ),
    ]


def between(name: str, path: str, parse: Parser = scalars.instant) -> list[Param]:
    """``<name>_gte``, ``_gt``, ``_lte`` and ``_lt`` on one column."""
    return [Param(f"{name}_{bound}", parse, apply=by(f"{path}__{bound}")) for bound in ("gte", "gt", "lte", "lt")]


def equal(name: str, path: str, parse: Parser = scalars.text) -> Param:
    """A column that equals the value; an empty text asks for nothing, as in Airflow."""
    return Param(name, parse, apply=lambda rows, value: rows if value == "" else rows.filter(**{path: value}))


def one_of(name: str, path: str, parse: Parser = scalars.text) -> Param:
    """A column that equals one of the values of a repeatable parameter."""
    return Param(name, parse, many=True, apply=by(f"{path}__in"))


def states(name: str, path: str, allowed: Sequence[str], label: str, none: bool = False) -> Param:
    """A repeatable state; the word ``none`` means no state, where that exists."""

    def narrow(rows: QuerySet[Any], values: list[str]) -> QuerySet[Any]:
        known = known_states(values, allowed, label, none)
        wanted = Q(**{f"{path}__in": known})
        return rows.filter(wanted | Q(**{f"{path}__isnull": True}) if len(known) < len(values) else wanted)

    return Param(name, many=True, apply=narrow)


def known_states(values: Sequence[str], allowed: Sequence[str], label: str, none: bool = False) -> list[str]:
    """Return the values without the words for no state. Raises ``RestError`` for a word that is no state."""
    if any(value not in allowed and not (none and value in {"none", "no_status"}) for value in values):
        raise RestError(422, f"Invalid value for {label}. Valid values are {scalars.word_list(allowed)}")
    return [value for value in values if value in allowed]


def by(lookup: str) -> Apply:
    """Return a filter by one lookup."""
    return lambda rows, value: rows.filter(**{lookup: value})
