"""Decides where a connection or a variable is found: the custom secrets backend, the environment, the database."""

import os
from dataclasses import dataclass, fields
from typing import Any

from orchestrator.sdk.secrets.search import custom_connection, custom_variable
from vault.models import Connection, Variable

_CONNECTION_PREFIX = "AIRFLOW_CONN_"
_VARIABLE_PREFIX = "AIRFLOW_VAR_"


@dataclass(frozen=True, slots=True)
class ConnectionValue:
    """A connection in clear, as a worker gets it."""

    conn_id: str
    conn_type: str
    host: str | None = None
    schema: str | None = None
    login: str | None = None
    password: str | None = None
    port: int | None = None
    extra: str | None = None
    description: str | None = None


def connection_find(conn_id: str) -> ConnectionValue | None:
    """Return a connection, None where there is none.

    Raises:
        UndecryptableError: no key opens its secrets.
        ValueError: the environment variable is no connection.
    """
    found = custom_connection(conn_id, worker=False)
    if found is not None:
        return _of_parsed(conn_id, found)
    text = os.environ.get(_CONNECTION_PREFIX + conn_id.upper())
    if text:
        return connection_from_text(conn_id, text)
    row = Connection.objects.filter(conn_id=conn_id).first()
    return None if row is None else _of_row(row)


def variable_find(key: str) -> str | None:
    """Return a variable's text, None where there is none. Raises ``UndecryptableError``."""
    text = custom_variable(key, worker=False)
    text = os.environ.get(_VARIABLE_PREFIX + key.upper()) if text is None else text
    if text is not None:
        return text
    row = Variable.objects.filter(key=key).first()
    return None if row is None else row.get_val()


def connection_from_text(conn_id: str, text: str) -> ConnectionValue:
    """Read a connection from a URI or a JSON object. Raises ValueError naming the connection."""
    from orchestrator.sdk.definitions.connection import Connection as Parsed

    try:
        is_json = text.lstrip().startswith("{")
        parsed = Parsed.from_json(text, conn_id=conn_id) if is_json else Parsed.from_uri(text, conn_id=conn_id)
    except Exception as error:  # whatever the parser dislikes, the person needs the name of the variable
        raise ValueError(f"{_CONNECTION_PREFIX}{conn_id.upper()} is neither a connection URI nor JSON: {error}") from error
    return _of_parsed(conn_id, parsed)


def _of_parsed(conn_id: str, parsed: Any) -> ConnectionValue:
    names = [field.name for field in fields(ConnectionValue) if field.name != "conn_id"]
    values: dict[str, Any] = {name: getattr(parsed, name, None) for name in names}
    return ConnectionValue(conn_id=conn_id, **values)


def _of_row(row: Connection) -> ConnectionValue:
    return ConnectionValue(
        conn_id=row.conn_id,
        conn_type=row.conn_type,
        host=row.host,
        schema=row.schema,
        login=row.login,
        password=row.get_password(),
        port=row.port,
        extra=row.get_extra(),
        description=row.description,
    )
