"""Decides what a connection is: its parts, its URI and JSON forms, and where it comes from."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import InitVar, asdict, dataclass, fields
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from orchestrator.sdk.awaiting import in_thread
from orchestrator.sdk.exceptions import AirflowException, AirflowNotFoundException, AirflowRuntimeError

ENVIRONMENT_PREFIX = "AIRFLOW_CONN_"
EXTRA_KEY = "__extra__"

log = logging.getLogger(__name__)


@dataclass(eq=True)
class Connection:
    """Address and credentials of another system.

    Args:
        conn_id: name that tasks ask for.
        conn_type: kind, such as ``http`` or ``postgres``; with underscores.
        extra: JSON text with whatever else the kind needs.
        uri: all the parts in one text, in place of the others.
    """

    conn_id: str | None = None
    conn_type: str | None = None
    description: str | None = None
    host: str | None = None
    schema: str | None = None
    login: str | None = None
    password: str | None = None
    port: int | None = None
    extra: Any = None
    uri: InitVar[str | None] = None

    def __post_init__(self, uri: str | None) -> None:
        if uri is None:
            return
        if any(value is not None for name, value in vars(self).items() if name not in ("conn_id", "description")):
            raise AirflowException(f"Connection {self.conn_id!r} has a uri and single parts too; give one or the other.")
        for name, value in vars(type(self).from_uri(uri, self.conn_id)).items():
            if name != "description":
                setattr(self, name, value)

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def get(cls, conn_id: str) -> Connection:
        """Return the connection from the custom secrets backend, else the environment, else the supervisor.

        Raises ``AirflowNotFoundException`` if there is none.
        """
        from orchestrator.sdk.secrets.search import custom_connection

        found: Connection | None = custom_connection(conn_id, worker=True)
        if found is None:
            text = os.environ.get(ENVIRONMENT_PREFIX + conn_id.upper())
            found = cls._from_text(text, conn_id) if text else cls._from_supervisor(conn_id)
        found._mask()
        return found

    @classmethod
    async def async_get(cls, conn_id: str) -> Connection:
        """As ``get``, while the event loop goes on."""
        return await in_thread(cls.get, conn_id)

    @classmethod
    def from_uri(cls, uri: str, conn_id: str | None = None) -> Connection:
        """Read ``type://login:password@host:port/schema?extra``; ``host`` may itself be ``protocol://host``."""
        scheme, _, rest = uri.partition("://")
        inner, separator, remainder = rest.partition("://")
        protocol = inner if separator and "/" not in inner and "?" not in inner and "@" not in inner else ""
        parts = urlsplit(f"x://{remainder}" if protocol else f"x://{rest}")
        host = unquote(_hostname(parts.netloc))
        return cls(
            conn_id=conn_id,
            conn_type=_normal_type(scheme),
            host=f"{protocol}://{host}" if protocol else host,
            schema=unquote(parts.path[1:]),
            login=unquote(parts.username) if parts.username else parts.username,
            password=unquote(parts.password) if parts.password else parts.password,
            port=parts.port,
            extra=_extra_of_query(parts.query),
        )

    @classmethod
    def from_json(cls, value: str | bytes, conn_id: str | None = None) -> Connection:
        """Read a JSON object with the names of the parts; raises ``ValueError`` naming what is wrong."""
        document = json.loads(value)
        if not isinstance(document, dict):
            raise ValueError(f"A connection in JSON must be an object, not {type(document).__name__}.")
        if "uri" in document:
            return cls.from_uri(document["uri"], conn_id)
        extra, port = document.pop("extra", None), document.pop("port", None)
        conn_type = document.pop("conn_type", None)
        unknown = set(document) - {part.name for part in fields(cls)}
        if unknown:
            raise ValueError(f"Connection {conn_id!r} has unknown parts in its JSON: {', '.join(sorted(unknown))}.")
        try:
            port = None if port in (None, "") else int(port)
        except ValueError:
            raise ValueError(f"Port of connection {conn_id!r} is {port!r}; it must be a whole number.") from None
        text = extra if extra is None or isinstance(extra, str) else json.dumps(extra)
        document["conn_id"] = conn_id or document.get("conn_id")
        return cls(conn_type=_normal_type(conn_type) if conn_type else conn_type, extra=text, port=port, **document)

    def get_uri(self) -> str:
        """Return the URI form."""
        scheme = f"{(self.conn_type or '').lower().replace('_', '-')}://"
        protocol, separator, host = (self.host or "").partition("://")
        if not separator:
            protocol, host = "", protocol
        authority = self._authority()
        netloc = f"{authority}{quote(host, safe='')}" + (f":{self.port}" if self.port else "")
        path = f"/{quote(self.schema, safe='')}" if self.schema else ""
        query = self._query()
        if query and not path:
            path = "/"
        return scheme + (f"{protocol}://" if protocol else "") + netloc + path + query

    @property
    def extra_dejson(self) -> dict[str, Any]:
        """The extra as a dict; {} where it is no JSON, which is logged."""
        if not self.extra:
            return {}
        try:
            found = json.loads(self.extra) if isinstance(self.extra, str) else self.extra
        except json.JSONDecodeError:
            log.error("The extra of connection %r is no JSON; it is read as empty.", self.conn_id)
            return {}
        from orchestrator.sdk.execution.channel import mask_secret

        mask_secret(found)
        return found  # type: ignore[no-any-return]

    async def aget_uri(self) -> str:
        """As ``get_uri``, while the event loop goes on."""
        return await in_thread(self.get_uri)

    async def aextra_dejson(self) -> dict[str, Any]:
        """As ``extra_dejson``, while the event loop goes on."""
        return await in_thread(self.get_extra_dejson)

    def get_extra_dejson(self) -> dict[str, Any]:
        """Return ``extra_dejson``."""
        return self.extra_dejson

    def to_dict(self, *, prune_empty: bool = False, validate: bool = True) -> dict[str, Any]:
        """Return the parts; ``prune_empty`` leaves out None and empty ones."""
        parts = asdict(self) | {"extra": self.extra_dejson if self.extra else None}
        return {name: value for name, value in parts.items() if value not in (None, "", {})} if prune_empty else parts

    def as_json(self) -> str:
        """Return the JSON form, without the id."""
        parts = self.to_dict(prune_empty=True)
        parts.pop("conn_id", None)
        return json.dumps(parts)

    def get_hook(self, *, hook_params: dict[str, Any] | None = None) -> Any:
        """Return the hook of this kind of connection; raises ``AirflowException`` if none is installed for it."""
        from orchestrator.sdk.hooks.registry import make_hook

        if (hook := make_hook(self, hook_params)) is not None:
            return hook
        raise AirflowException(f"No hook is installed for connections of type {self.conn_type!r} ({self.conn_id!r}).")

    @classmethod
    def _from_text(cls, text: str, conn_id: str) -> Connection:
        try:
            return cls.from_json(text, conn_id) if text.lstrip().startswith("{") else cls.from_uri(text, conn_id)
        except ValueError as error:
            name = ENVIRONMENT_PREFIX + conn_id.upper()
            raise AirflowException(f"The environment variable {name} is no connection: {error}") from None

    @classmethod
    def _from_supervisor(cls, conn_id: str) -> Connection:
        from orchestrator.sdk.execution.channel import ask, current_channel

        if current_channel() is None:
            raise AirflowNotFoundException(
                f"The conn_id `{conn_id}` isn't defined: outside of a running task only the environment "
                f"({ENVIRONMENT_PREFIX}{conn_id.upper()}) is read. Ask for it inside of the task."
            )
        try:
            answer = ask({"type": "GetConnection", "conn_id": conn_id})
        except AirflowRuntimeError as error:
            if getattr(getattr(error.error, "error", None), "value", None) == "CONNECTION_NOT_FOUND":
                raise AirflowNotFoundException(f"The conn_id `{conn_id}` isn't defined") from None
            raise
        if "schema_" in answer:
            answer["schema"] = answer.pop("schema_")
        return cls(**{name: value for name, value in answer.items() if name in cls.__dataclass_fields__})

    def _mask(self) -> None:
        from orchestrator.sdk.execution.channel import mask_secret

        if self.password:
            mask_secret(self.password)
        if self.extra:
            try:
                mask_secret(json.loads(self.extra))
            except (json.JSONDecodeError, TypeError):
                mask_secret(str(self.extra))

    def _authority(self) -> str:
        text = quote(self.login, safe="") if self.login else ""
        text += f":{quote(self.password, safe='')}" if self.password else ""
        return f"{text}@" if text else ""

    def _query(self) -> str:
        if not self.extra:
            return ""
        extra = self.extra_dejson
        if isinstance(extra, dict) and extra and all(isinstance(value, str) and value for value in extra.values()):
            return "?" + urlencode(extra)
        return "?" + urlencode({EXTRA_KEY: self.extra if isinstance(self.extra, str) else json.dumps(self.extra)})


def _normal_type(name: str) -> str:
    return {"postgresql": "postgres"}.get(name, name.replace("-", "_"))


def _hostname(netloc: str) -> str:
    host = netloc.rpartition("@")[2]
    if host.startswith("["):
        return host.partition("]")[0][1:]
    return host.partition(":")[0]


def _extra_of_query(query: str) -> str | None:
    if not query:
        return None
    pairs = dict(parse_qsl(query, keep_blank_values=True))
    return pairs[EXTRA_KEY] if EXTRA_KEY in pairs else json.dumps(pairs)
