"""Decides which file system stands behind the paths of a scheme: an attached one, or one that fsspec makes."""

from __future__ import annotations

from typing import Any

from orchestrator.sdk.exceptions import AirflowOptionalProviderFeatureException

_ATTACHED: dict[str, ObjectStore] = {}


class ObjectStore:
    """A file system with the scheme and connection that it serves. ``fs`` is made when it is first used, unless it is given."""

    __version__ = 1

    def __init__(
        self, protocol: str, conn_id: str | None = None, fs: Any = None, storage_options: dict[str, Any] | None = None
    ) -> None:
        self.protocol, self.conn_id, self.storage_options = protocol, conn_id, dict(storage_options or {})
        self._fs = fs
        self.is_given = fs is not None

    def __str__(self) -> str:
        return f"{self.protocol}-{self.conn_id}" if self.conn_id else self.protocol

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectStore) and (self.protocol, self.conn_id) == (other.protocol, other.conn_id)

    def __hash__(self) -> int:
        return hash((self.protocol, self.conn_id))

    @property
    def fs(self) -> Any:
        """Return the fsspec file system; raises ``AirflowOptionalProviderFeatureException`` without what it needs."""
        if self._fs is None:
            self._fs = _make(self.protocol, self.conn_id, self.storage_options)
        return self._fs

    @property
    def fsid(self) -> str:
        """Return what tells this file system from others."""
        return str(getattr(self.fs, "fsid", None) or f"{self.fs.protocol}-{self.conn_id or 'env'}")


def attach(
    protocol: str | None = None,
    conn_id: str | None = None,
    alias: str | None = None,
    encryption_type: str | None = None,
    fs: Any = None,
    **storage_options: Any,
) -> ObjectStore:
    """Let ``fs``, or a file system with these options, serve the paths of a scheme (or of ``alias``); returns the store.

    Raises ``ValueError`` without scheme and file system.
    """
    if protocol is None:
        if fs is None:
            raise ValueError("attach() needs a protocol such as 's3', or a file system as fs=")
        protocol = fs.protocol if isinstance(fs.protocol, str) else fs.protocol[0]
    name = alias or (f"{protocol}-{conn_id}" if conn_id else protocol)
    if fs is None and not storage_options and name in _ATTACHED:
        return _ATTACHED[name]
    _ATTACHED[name] = ObjectStore(protocol, conn_id, fs, storage_options)
    return _ATTACHED[name]


def store_for(protocol: str, conn_id: str | None, storage_options: dict[str, Any]) -> ObjectStore:
    """Return the store behind a path; one with options of its own is never an attached one."""
    if storage_options:
        return ObjectStore(protocol, conn_id, None, storage_options)
    name = f"{protocol}-{conn_id}" if conn_id else protocol
    found = _ATTACHED.get(name) or _ATTACHED.get(protocol)
    return found or attach(protocol, conn_id)


def _make(protocol: str, conn_id: str | None, options: dict[str, Any]) -> Any:
    try:
        import fsspec  # type: ignore[import-untyped,import-not-found,unused-ignore]

        return fsspec.filesystem(protocol or "file", **{**_options_of(conn_id), **options})
    except ImportError as error:
        raise AirflowOptionalProviderFeatureException(
            f"Paths of scheme {protocol!r} need a package that is not installed ({error}); install it beside fsspec."
        ) from None
    except ValueError as error:
        raise ValueError(f"No filesystem registered for scheme {protocol}: {error}") from None


def _options_of(conn_id: str | None) -> dict[str, Any]:
    """Return the extra of a connection: the options of the file system, by fsspec's names."""
    if conn_id is None:
        return {}
    from orchestrator.sdk.definitions.connection import Connection

    return dict(Connection.get(conn_id).extra_dejson)


Properties = dict[str, str]


def get_fs(scheme: str, conn_id: str | None = None, storage_options: dict[str, Any] | None = None) -> Any:
    """Return the file system of a scheme; raises ``ValueError`` for an unknown one."""
    return store_for(scheme, conn_id, dict(storage_options or {})).fs


def has_fs(scheme: str) -> bool:
    """Return whether there is a file system for a scheme."""
    try:
        from fsspec.registry import known_implementations, registry  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except ImportError:
        return scheme in ("file", "")
    return scheme in _ATTACHED or scheme in registry or scheme in known_implementations
