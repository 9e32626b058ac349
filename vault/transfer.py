"""Decides how connections and variables leave as files and come in from them."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.sdk.definitions.connection import Connection as Parsed
from orchestrator.sdk.secrets.files import connections_of, variables_of
from vault.keys import UndecryptableError
from vault.models import Connection, Variable
from vault.services import connection_set, variable_set

FORMATS = ("json", "yaml", "env")
SERIALIZATIONS = ("json", "uri")
# Goes through the ids and tells somebody how far it is.
Through = Callable[[Sequence[str]], Iterable[str]]

_PARTS = ("conn_type", "description", "login", "password", "host", "port", "schema", "extra")


class ExistsError(ValueError):
    """A name is taken, and the import was told to fail then."""


@dataclass(slots=True)
class Imported:
    """What an import did."""

    written: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=list)


def parsed(row: Connection) -> Parsed:
    """Return the connection in clear, with its URI and JSON forms; raises ``UndecryptableError``."""
    secrets: dict[str, Any] = {"password": row.get_password(), "extra": row.get_extra()}
    parts = {name: getattr(row, name) for name in _PARTS if name not in secrets}
    return Parsed(conn_id=row.conn_id, **parts, **secrets)


def readable_connections() -> tuple[list[Parsed], list[str]]:
    """Return all connections in clear, and the ids of those that no key opens."""
    found, lost = [], []
    for row in Connection.objects.order_by("conn_id"):
        try:
            found.append(parsed(row))
        except UndecryptableError as error:
            lost.append(f"{row.conn_id} ({error.short})")
    return found, lost


def readable_variables() -> tuple[dict[str, tuple[str, str | None]], list[str]]:
    """Return text and description of all variables by key, and the keys of those that no key opens."""
    found: dict[str, tuple[str, str | None]] = {}
    lost = []
    for row in Variable.objects.order_by("key"):
        try:
            found[row.key] = (row.get_val() or "", row.description)
        except UndecryptableError as error:
            lost.append(f"{row.key} ({error.short})")
    return found, lost


def exported(text: str, description: str | None) -> Any:
    """Return how a variable stands in a file: as what its JSON says, with its description beside it where it has one."""
    try:
        found = json.loads(text)
    except ValueError:
        found = text
    found = text if isinstance(found, str) else found
    is_wrapped = bool(description) or (isinstance(found, dict) and "value" in found)
    return {"value": found, "description": description} if is_wrapped else found


def connections_text(rows: list[Parsed], form: str, serialization: str = "uri") -> str:
    """Return the content of a file in one of ``FORMATS``; ``serialization`` counts for ``env`` only."""
    documents = {str(row.conn_id): {name: getattr(row, name) for name in _PARTS} for row in rows}
    if form == "json":
        return json.dumps(documents, indent=2)
    if form == "yaml":
        import yaml

        return str(yaml.safe_dump(documents))
    text = {
        str(row.conn_id): row.get_uri() if serialization == "uri" else json.dumps(documents[str(row.conn_id)]) for row in rows
    }
    return "".join(f"{name}={value}\n" for name, value in text.items())


def connections_import(path: str | Path, *, overwrite: bool = False, through: Through = iter) -> Imported:
    """Write the connections of a file inside the caller's transaction; raises ``SecretsFileError``.

    Args:
        through: is given the ids and gives them back one after the other, to tell how far it is.
    """
    there = set(Connection.objects.values_list("conn_id", flat=True))
    return _import(connections_of(path), there, overwrite, _write, through)


def variables_import(path: str | Path, on_existing: str = "overwrite", through: Through = iter) -> Imported:
    """Write the variables of a file inside the caller's transaction.

    Args:
        path: a file with one of the extensions .json, .yaml, .yml, .env.
        on_existing: ``overwrite``, ``skip`` or ``fail``, which raises ``ExistsError`` before anything is written.
        through: as for ``connections_import``.
    """
    wanted = {name: _unwrapped(value) for name, value in variables_of(path).items()}
    there = set(Variable.objects.filter(key__in=wanted).values_list("key", flat=True))
    if there and on_existing == "fail":
        raise ExistsError(f"These variables exist already: {', '.join(sorted(there))}. Nothing was imported.")
    return _import(wanted, there, on_existing == "overwrite", _write_variable, through)


def _import(wanted: Mapping[str, Any], there: set[str], overwrite: bool, write: Any, through: Through) -> Imported:
    done = Imported()
    for name in through(list(wanted)):
        if name in there and not overwrite:
            done.there.append(name)
            continue
        write(name, wanted[name])
        done.written.append(name)
    return done


def _write(conn_id: str, found: Parsed) -> None:
    connection_set(conn_id, **{name: getattr(found, name) for name in _PARTS} | {"conn_type": found.conn_type or ""})


def _unwrapped(value: Any) -> tuple[str, str | None]:
    description = None
    if isinstance(value, dict) and "value" in value and set(value) <= {"value", "description"}:
        value, description = value["value"], value.get("description")
    return value if isinstance(value, str) else json.dumps(value), description


def _write_variable(key: str, found: tuple[str, str | None]) -> None:
    variable_set(key, found[0], description=found[1])
