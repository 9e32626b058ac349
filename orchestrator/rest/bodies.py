"""Decides how JSON bodies are declared and read, with Airflow's errors for what is wrong in them."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

from orchestrator.json_given import finite
from orchestrator.rest.errors import EXTRA, MISSING, InvalidError, ProblemError
from orchestrator.rest.scalars import Parser

_UNSET: Any = object()
# What else a client sends is text to Airflow's server, and no text is an object.
_JSON = re.compile(r"\s*application/([\w.-]+\+)?json\s*(;|$)", re.IGNORECASE)
_NO_OBJECT = ProblemError("model_attributes_type", "Input should be a valid dictionary or object to extract fields from")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a body; ``null`` allows JSON null."""

    parse: Parser
    required: bool = False
    null: bool = True
    default: Any = None


class Values(dict[str, Any]):
    """The declared fields of a body with their values; ``given`` names those that the client sent."""

    given: frozenset[str] = frozenset()


Check = Callable[[Values], ProblemError | None]


@dataclass(frozen=True, slots=True)
class Body:
    """A body by its name in the contract; fields that are not declared are refused.

    ``aliases`` are other names of fields; ``check`` looks at all fields together, once each of them is right;
    ``says`` is how often each problem is said.
    """

    name: str
    fields: Mapping[str, Field]
    aliases: Mapping[str, str] = dataclass_field(default_factory=dict)
    check: Check | None = None
    says: int = 1

    def read(self, raw: bytes, content_type: str = "application/json") -> Values:
        """Return all declared fields. Raises ``InvalidError``."""
        if raw and not _JSON.match(content_type):
            raise InvalidError([_NO_OBJECT.at(["body"], raw.decode(errors="replace"))])
        document = _document(raw)
        try:
            return self.read_document(document)
        except InvalidError as error:
            raise InvalidError(error.detail * self.says) from None

    def read_document(self, document: Any, where: tuple[str | int, ...] = ("body",)) -> Values:
        """Return the fields of a JSON value, which stands at ``where`` in the body. Raises ``InvalidError``."""
        if not isinstance(document, dict):
            raise InvalidError([_NO_OBJECT.at([*where], document)])
        document = {self.aliases.get(name, name): value for name, value in document.items()}
        problems: list[dict[str, Any]] = []
        values = Values((name, self._value(name, document, where, problems)) for name in self.fields)
        problems += [EXTRA.at([*where, name], value) for name, value in document.items() if name not in self.fields]
        if problems:
            raise InvalidError(problems)
        values.given = frozenset(document)
        if self.check is not None and (problem := self.check(values)) is not None:
            raise InvalidError([problem.at([*where], document)])
        return values

    def _value(self, name: str, document: dict[str, Any], where: tuple[str | int, ...], problems: list[dict[str, Any]]) -> Any:
        field = self.fields[name]
        value = document.get(name, _UNSET)
        if value is _UNSET:
            if field.required:
                problems.append(MISSING.at([*where, name], document))
            return field.default
        if value is None and field.null:
            return None
        try:
            return field.parse(value)
        except ProblemError as problem:
            problems.append(problem.at([*where, name], value))
            return None


def _document(raw: bytes) -> Any:
    if not raw or raw.strip() == b"null":
        raise InvalidError([MISSING.at(["body"], None)])
    try:
        document = json.loads(raw, parse_constant=finite, parse_float=finite)
    except json.JSONDecodeError as error:
        problem = ProblemError("json_invalid", "JSON decode error", {"error": error.msg})
        raise InvalidError([problem.at(["body", error.pos], {})]) from error
    except UnicodeDecodeError as error:
        problem = ProblemError("json_invalid", "JSON decode error", {"error": "the body is no JSON text in UTF-8"})
        raise InvalidError([problem.at(["body", 0], {})]) from error
    except (ValueError, RecursionError) as error:  # NaN, a number that is too long or too large, too many levels
        problem = ProblemError("json_invalid", "JSON decode error", {"error": str(error)})
        raise InvalidError([problem.at(["body", 0], {})]) from error
    return document
