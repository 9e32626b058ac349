"""Decides how files of connections, variables and options are read: JSON, YAML and ``.env``, as Airflow's files look."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from orchestrator.sdk.definitions.connection import Connection
from orchestrator.sdk.exceptions import AirflowException

SUFFIXES = ("json", "yaml", "yml", "env")


class SecretsFileError(AirflowException):
    """A file of secrets is missing, has an unknown format or cannot be read."""


def read_file(path: str | Path) -> dict[str, Any]:
    """Return the names and values of a file; raises ``SecretsFileError`` naming file and line."""
    file = Path(path)
    kind = "env" if file.name == ".env" else file.suffix.lower().lstrip(".")
    if kind not in SUFFIXES:
        raise SecretsFileError(f"{file}: unsupported file format; the extension must be one of .json, .yaml, .yml and .env.")
    if not file.is_file():
        raise SecretsFileError(f"File {file} was not found. Check the path.")
    try:
        found = _READERS[kind](file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SecretsFileError(f"{file} cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise SecretsFileError(f"{file} must hold an object of names and values, not a {type(found).__name__}.")
    return {str(name): value for name, value in found.items()}


def connections_of(path: str | Path) -> dict[str, Connection]:
    """Return the connections of a file by id; raises ``SecretsFileError`` that names the one that is wrong."""
    return {name: connection_of(name, _single(name, value, path)) for name, value in read_file(path).items()}


def connection_of(name: str, value: Any) -> Connection:
    """Make a connection of a URI, a JSON text or an object; raises ``SecretsFileError`` that names it."""
    try:
        if isinstance(value, dict):
            return Connection.from_json(json.dumps(_without_aliases(value)), name)
        text = str(value)
        return Connection.from_json(text, name) if text.lstrip().startswith("{") else Connection.from_uri(text, name)
    except (ValueError, TypeError) as error:
        raise SecretsFileError(f"Connection {name!r} is neither a URI nor an object of its parts: {error}") from None


def variables_of(path: str | Path) -> dict[str, Any]:
    """Return the variables of a file; of an ``.env`` file all are texts."""
    is_env = Path(path).name.endswith(".env")
    return {name: _single(name, value, path) if is_env else value for name, value in read_file(path).items()}


def _single(name: str, value: Any, path: str | Path) -> Any:
    if not isinstance(value, list):
        return value
    if len(value) != 1:
        raise SecretsFileError(f"{path}: {name!r} has {len(value)} values; exactly one is allowed.")
    return value[0]


def _without_aliases(value: dict[str, Any]) -> dict[str, Any]:
    parts = dict(value)
    if "extra_dejson" in parts:
        parts["extra"] = parts.pop("extra_dejson")
    parts.pop("conn_id", None)
    return parts


def _read_env(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip():
            raise ValueError(f"line {number} is not of the form NAME=value")
        found.setdefault(name.strip(), []).append(value.strip())
    return found


def _read_yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None


def _read_json(text: str) -> Any:
    return json.loads(text) if text.strip() else {}


_READERS = {"json": _read_json, "yaml": _read_yaml, "yml": _read_yaml, "env": _read_env}
