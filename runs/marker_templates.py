"""Decides what the templates of an ``ExternalTaskMarker`` say for a run, without running the author's code; pure.

A marker never runs, so nobody renders its fields. The few expressions that name a date are read here: the dates of the
run, ``ts``, ``ds``, ``run_id``, ``isoformat()``, ``strftime()``, ``add()``, ``subtract()``, ``macros.timedelta()``,
``+``, ``-`` and the filters ``ts`` and ``ds``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

_EXPRESSION: Final = re.compile(r"\{\{(.+?)\}\}", re.DOTALL)
_SPANS: Final = frozenset({"weeks", "days", "hours", "minutes", "seconds", "milliseconds", "microseconds"})


class MarkerTemplateError(ValueError):
    """A template says more than a date; the text names the part."""


def run_names(run: Any) -> dict[str, Any]:
    """Return the names that a template may use, of a run with Airflow's date columns."""
    names = {"logical_date": run.logical_date, "run_id": run.run_id}
    names |= {"data_interval_start": run.data_interval_start, "data_interval_end": run.data_interval_end}
    if run.logical_date is not None:
        names |= {"ts": run.logical_date.isoformat(), "ds": f"{run.logical_date:%Y-%m-%d}"}
    return names


def rendered(template: str, names: Mapping[str, Any]) -> str:
    """Return the text of a template. Raises ``MarkerTemplateError`` for what cannot be read here."""
    if "{%" in template:
        raise MarkerTemplateError(f"{template!r} has a block; only expressions that name a date can be read without running code")
    return _EXPRESSION.sub(lambda found: str(_value(found[1].strip(), names)), template)


def rendered_instant(template: str, names: Mapping[str, Any]) -> datetime:
    """Return the instant of a template; one without a zone is UTC. Raises ``MarkerTemplateError``."""
    text = rendered(template, names).strip()
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise MarkerTemplateError(f"{template!r} gives {text!r}, which is no ISO 8601 date") from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _value(expression: str, names: Mapping[str, Any]) -> Any:
    try:
        tree = ast.parse(expression, mode="eval")
        return _Reader(names).read(tree.body)
    except MarkerTemplateError:
        raise
    except (SyntaxError, TypeError, ValueError, OverflowError, RecursionError, AttributeError) as error:
        raise MarkerTemplateError(f"{{{{ {expression} }}}} cannot be read: {error}") from error


class _Reader:
    """Reads one expression."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.names = names

    def read(self, node: ast.expr) -> Any:
        """Return the value of a node."""
        for kind, read in _NODES.items():
            if isinstance(node, kind):
                return read(self, node)
        raise MarkerTemplateError(f"{ast.unparse(node)!r} is more than a date: it cannot be read without running code")

    def name(self, node: ast.Name) -> Any:
        if node.id not in self.names:
            raise MarkerTemplateError(f"{node.id!r} is not known here; use one of {', '.join(sorted(self.names))}")
        if self.names[node.id] is None:
            raise MarkerTemplateError(f"the run has no {node.id}")
        return self.names[node.id]

    def call(self, node: ast.Call) -> Any:
        kwargs = {str(word.arg): self.read(word.value) for word in node.keywords}
        args = [self.read(arg) for arg in node.args]
        if ast.unparse(node.func) in ("macros.timedelta", "timedelta"):
            return _span(kwargs, *args)
        if not isinstance(node.func, ast.Attribute):
            raise MarkerTemplateError(f"{ast.unparse(node.func)}() cannot be called here")
        target, method = self.read(node.func.value), node.func.attr
        if not isinstance(target, datetime) or method not in _METHODS:
            raise MarkerTemplateError(f".{method}() cannot be called here; a date has {', '.join(_METHODS)}")
        return _METHODS[method](target, args, kwargs)

    def operation(self, node: ast.BinOp) -> Any:
        if isinstance(node.op, ast.BitOr) and isinstance(node.right, ast.Name) and node.right.id in _FILTERS:
            return _FILTERS[node.right.id](self.read(node.left))
        left, right = self.read(node.left), self.read(node.right)
        if isinstance(node.op, ast.Add) and not isinstance(left, str):
            return left + right
        if isinstance(node.op, ast.Sub):
            return left - right
        raise MarkerTemplateError(f"{ast.unparse(node)!r} cannot be read: dates are moved by + and -")


def _span(kwargs: Mapping[str, Any], *args: Any) -> timedelta:
    if unknown := sorted(set(kwargs) - _SPANS):
        raise MarkerTemplateError(f"{unknown[0]!r} is no span of time; use {', '.join(sorted(_SPANS))}")
    return timedelta(*args, **kwargs)


def _negative(reader: _Reader, node: ast.UnaryOp) -> Any:
    if not isinstance(node.op, ast.USub):
        raise MarkerTemplateError(f"{ast.unparse(node)!r} cannot be read")
    return -reader.read(node.operand)


_FILTERS: Final[dict[str, Callable[[datetime], str]]] = {
    "ts": lambda value: value.isoformat(),
    "ds": lambda value: f"{value:%Y-%m-%d}",
}
_METHODS: Final[dict[str, Callable[[datetime, list[Any], dict[str, Any]], Any]]] = {
    "isoformat": lambda value, args, kwargs: value.isoformat(),
    "strftime": lambda value, args, kwargs: value.strftime(*args),
    "add": lambda value, args, kwargs: value + _span(kwargs),
    "subtract": lambda value, args, kwargs: value - _span(kwargs),
}
_NODES: Final[dict[type[ast.expr], Callable[[_Reader, Any], Any]]] = {
    ast.Constant: lambda reader, node: node.value,
    ast.Name: _Reader.name,
    ast.Call: _Reader.call,
    ast.BinOp: _Reader.operation,
    ast.UnaryOp: _negative,
}
