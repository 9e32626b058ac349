"""Decides how JSON bodies are declared and read, with Airflow's errors for what is wrong in them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.rest.errors import EXTRA, MISSING, InvalidError, ProblemError
from orchestrator.rest.scalars import Parser

_UNSET: Any = object()


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a body; ``null`` allows JSON null."""

    parse: Parser
    required: bool = False
    null: bool = True
    default: Any = None


@dataclass(frozen=True, slots=True)
class Body:
    """A body by its name in the contract; fields that are not declared are refused."""

    name: str
    fields: Mapping[str, Field]

    def read(self, raw: bytes) -> dict[str, Any]:
        """Return all declared fields; use ``given`` for what the client sent. Raises ``InvalidError``."""
        document = _document(raw)
        problems: list[dict[str, Any]] = []
        values = {name: self._value(name, document, problems) for name in self.fields}
        problems += [EXTRA.at(["body", name], value) for name, value in document.items() if name not in self.fields]
        if problems:
            raise InvalidError(problems)
        return values

    def _value(self, name: str, document: dict[str, Any], problems: list[dict[str, Any]]) -> Any:
        field = self.fields[name]
        value = document.get(name, _UNSET)
        if value is _UNSET:
            if field.required:
                problems.append(MISSING.at(["body", name], document))
            return field.default
        if value is None and field.null:
            return None
        try:
            return field.parse(value)
        except ProblemError as problem:
            problems.append(problem.at(["body", name], value))
            return None


def _document(raw: bytes) -> dict[str, Any]:
    if not raw:
        raise InvalidError([MISSING.at(["body"], None)])
    try:
        document = json.loads(raw)
    except json.JSONDecodeError as error:
        problem = ProblemError("json_invalid", "JSON decode error", {"error": error.msg})
        raise InvalidError([problem.at(["body", error.pos], {})]) from error
    except (UnicodeDecodeError, RecursionError) as error:
        problem = ProblemError("json_invalid", "JSON decode error", {"error": "the body is no JSON text in UTF-8"})
        raise InvalidError([problem.at(["body", 0], {})]) from error
    if not isinstance(document, dict):
        message = "Input should be a valid dictionary or object to extract fields from"
        raise InvalidError([ProblemError("model_attributes_type", message).at(["body"], document)])
    return document
