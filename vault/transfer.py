"""Decides how connections and variables leave as files and come in from them."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.sdk.definitions.connection import Connection as Parsed
from orchestrator.sdk.execution.masking import MASK
from orchestrator.sdk.secrets.files import SecretsFileError, connections_of, variables_of
from vault.connection_rules import id_problem, part_problem
from vault.keys import UndecryptableError
from vault.models import Connection, Variable
from vault.services import connection_set, variable_set
from vault.shown import kept_extra, kept_password, kept_value

FORMATS = ("json", "yaml", "env")
SERIALIZATIONS = ("json", "uri")
# Goes through the ids and tells somebody how far it is.
Through = Callable[[Sequence[str]], Iterable[str]]

_MASKED = f"{MASK} stands for a stored secret, and none is stored here. Write the secret into the file, or leave it out."
_VARIABLE_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,250}")
_VARIABLE_SHAPE = "must be 1 to 250 characters, none of them a control character such as a line break"
_PARTS = ("conn_type", "description", "login", "password", "host", "port", "schema", "extra")


class ExistsError(ValueError):
    """A name is taken, and the import was told to fail then."""


class MaskedError(ValueError):
    """A file has ``***`` where a secret belongs, and none is stored that it could stand for."""


@dataclass(slots=True)
class Imported:
    """What an import did; ``refused`` holds what is wrong with the ids that were left out."""

    written: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


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


def connections_import(
    path: str | Path, *, overwrite: bool = False, through: Through = iter, on_existing: str = "", keeping: bool = False
) -> Imported:
    """Write the connections of a file inside the caller's transaction; raises ``SecretsFileError``.

    Ids that no connection may have are left out, unless ``on_existing`` says that the file goes in whole.

    Args:
        through: is given the ids and gives them back one after the other, to tell how far it is.
        on_existing: as for ``variables_import``; else ``overwrite`` says whether those that are there are written.
        keeping: ``***`` stands for the stored secret, as where people see it; raises ``MaskedError`` where none is stored.
    """
    wanted = connections_of(path)
    refused = {name: why for name in wanted if (why := id_problem(name))}
    if on_existing:
        _refuse_names(refused, "connection")
    wanted = {name: found for name, found in wanted.items() if name not in refused}
    _refuse_parts(wanted)
    there = set(Connection.objects.filter(conn_id__in=wanted).values_list("conn_id", flat=True))
    _refuse(there, on_existing, "connections")
    is_written = on_existing == "overwrite" if on_existing else overwrite
    done = _import(wanted, there, is_written, _write_keeping if keeping else _write, through)
    done.refused = refused
    return done


def variables_import(
    path: str | Path, on_existing: str = "overwrite", through: Through = iter, keeping: bool = False
) -> Imported:
    """Write the variables of a file inside the caller's transaction.

    Args:
        path: a file with one of the extensions .json, .yaml, .yml, .env.
        on_existing: ``overwrite``, ``skip`` or ``fail``, which raises ``ExistsError`` before anything is written.
        through: as for ``connections_import``.
        keeping: as for ``connections_import``.
    """
    wanted = {name: _unwrapped(value) for name, value in variables_of(path).items()}
    _refuse_names({name: _VARIABLE_SHAPE for name in wanted if not _VARIABLE_NAME.fullmatch(name)}, "variable")
    there = set(Variable.objects.filter(key__in=wanted).values_list("key", flat=True))
    _refuse(there, on_existing, "variables")
    return _import(wanted, there, on_existing == "overwrite", _write_variable_keeping if keeping else _write_variable, through)


def _refuse_names(refused: Mapping[str, str], noun: str) -> None:
    """Refuse names that no address and no column could carry."""
    for name, why in refused.items():
        raise SecretsFileError(f"{name[:60]!r} cannot be the name of a {noun}: it {why}. Nothing was imported.")


def _refuse_parts(wanted: Mapping[str, Parsed]) -> None:
    for name, found in wanted.items():
        if why := part_problem({part: getattr(found, part) for part in _PARTS}):
            raise SecretsFileError(f"Connection {name!r} has {why}. Nothing was imported.")


def _refuse(there: set[str], on_existing: str, noun: str) -> None:
    if there and on_existing == "fail":
        raise ExistsError(f"These {noun} exist already: {', '.join(sorted(there))}. Nothing was imported.")


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


def _write_keeping(conn_id: str, found: Parsed) -> None:
    row = Connection.objects.filter(conn_id=conn_id).first() or Connection(conn_id=conn_id, conn_type=found.conn_type or "")
    has_none = found.password == MASK and not row.password
    found.password = kept_password(row, found.password)
    found.extra = kept_extra(row, found.extra)
    if has_none or found.extra == MASK or f'"{MASK}"' in (found.extra or ""):
        raise MaskedError(f"Connection {conn_id}: {_MASKED}")
    _write(conn_id, found)


def _unwrapped(value: Any) -> tuple[str, str | None]:
    description = None
    if isinstance(value, dict) and "value" in value and set(value) <= {"value", "description"}:
        value, description = value["value"], value.get("description")
    return value if isinstance(value, str) else json.dumps(value), description


def _write_variable(key: str, found: tuple[str, str | None]) -> None:
    variable_set(key, found[0], description=found[1])


def _write_variable_keeping(key: str, found: tuple[str, str | None]) -> None:
    row = Variable.objects.filter(key=key).first() or Variable(key=key)
    text = kept_value(row, found[0])
    if (text == MASK or f'"{MASK}"' in text) and text != (row.get_val() if row.pk else None):
        raise MaskedError(f"Variable {key}: {_MASKED}")
    variable_set(key, text, description=found[1])
