"""Decides which variables and connections a run in memory has: given as dicts, or read from JSON, YAML and .env files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.sdk.definitions.connection import Connection

Parts = dict[str, Any]


class GivenFileError(ValueError):
    """A file of variables or connections cannot be used; the text names the file and what is wrong."""


def read_variables(path: str | Path) -> dict[str, str]:
    """Return the variables of a file by key; values that are no text become JSON.

    Raises:
        GivenFileError: the file is not there, has another ending than .json, .yaml, .yml or .env, or holds no mapping.
    """
    return {key: as_text(value) for key, value in _read(Path(path)).items()}


def read_connections(path: str | Path) -> dict[str, Parts]:
    """Return the connections of a file by id: URIs, JSON, or mappings of their parts. Raises as ``read_variables``."""
    return connections_of(_read(Path(path)), str(path))


def connections_of(given: Mapping[str, Any], where: str = "connections") -> dict[str, Parts]:
    """Return connections as tasks are told them, whatever form each is given in."""
    return {conn_id: _connection(conn_id, value, where) for conn_id, value in given.items()}


def as_text(value: Any) -> str:
    """Return a variable's text."""
    return value if isinstance(value, str) else json.dumps(value)


def _connection(conn_id: str, value: Any, where: str) -> Parts:
    if isinstance(value, list):
        if len(value) != 1:
            raise GivenFileError(f"{where}: connection {conn_id!r} is given {len(value)} times; give it once.")
        value = value[0]
    try:
        found = _as_connection(conn_id, value)
    except (ValueError, TypeError) as error:
        raise GivenFileError(f"{where}: connection {conn_id!r} cannot be read: {error}") from None
    parts = vars(found) | {"conn_id": conn_id}
    return {name: item for name, item in parts.items() if not name.startswith("_")}


def _as_connection(conn_id: str, value: Any) -> Connection:
    if isinstance(value, Connection):
        return value
    if isinstance(value, str):
        return Connection.from_json(value, conn_id) if value.lstrip().startswith("{") else Connection.from_uri(value, conn_id)
    parts = dict(value)
    if "extra_dejson" in parts:
        parts["extra"] = parts.pop("extra_dejson")
    return Connection.from_json(json.dumps(parts), conn_id)


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise GivenFileError(f"{path} cannot be read: {error.strerror or error}") from None
    found = _parse(path, text)
    if not isinstance(found, dict):
        raise GivenFileError(f"{path} holds {type(found).__name__}; it must hold names with their values.")
    return found


def _parse(path: Path, text: str) -> Any:
    try:
        if path.suffix == ".json":
            return json.loads(text)
        if path.suffix in (".yaml", ".yml"):
            import yaml

            return yaml.safe_load(text) or {}
    except ValueError as error:
        raise GivenFileError(f"{path} is not {path.suffix[1:].upper()}: {error}") from None
    if path.suffix == ".env" or path.name == ".env":
        lines = [line.strip() for line in text.splitlines()]
        pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
        return {name.strip(): value.strip() for name, _, value in pairs}
    raise GivenFileError(f"{path} ends in {path.suffix or 'nothing'}; use .json, .yaml, .yml or .env.")
