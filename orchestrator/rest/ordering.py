"""Decides by which names a list may be ordered and that every order is total."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.rest.errors import RestError


@dataclass(frozen=True, slots=True)
class Term:
    """One column of an order."""

    path: str
    descending: bool

    def expression(self, reverse: bool = False) -> str:
        """Return it for ``QuerySet.order_by``."""
        return f"-{self.path}" if self.descending != reverse else self.path

    def value_of(self, row: Any) -> Any:
        """Return the column of a row; a path may lead to a related row."""
        for name in self.path.split("__"):
            row = getattr(row, name, None)
        return row


@dataclass(frozen=True, slots=True)
class Ordering:
    """Allowed names and the paths behind them; ``key`` makes the order total."""

    names: Mapping[str, str]
    default: tuple[str, ...]
    key: str = "id"

    def terms(self, asked: Sequence[str] | None) -> list[Term]:
        """Return the columns to order by. Raises ``RestError`` for a name that is not allowed."""
        terms = [self._term(name) for name in asked or self.default]
        if all(term.path != self.key for term in terms):
            terms.append(Term(self.key, terms[0].descending))
        return terms

    def _term(self, asked: str) -> Term:
        name = asked.removeprefix("-")
        if name not in self.names:
            raise RestError(400, f"Ordering with '{name}' is disallowed or the attribute does not exist on the model")
        return Term(self.names[name], asked.startswith("-"))


def ordering(*names: str, default: Sequence[str], key: str = "id", **renamed: str) -> Ordering:
    """Declare names that are columns, and names that stand for another path."""
    return Ordering({name: name for name in names} | renamed, tuple(default), key)
