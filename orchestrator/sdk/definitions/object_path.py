"""Decides how a path in an object store is written, taken apart and put together; looks at no file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import total_ordering
from pathlib import PurePosixPath
from typing import Any, Self

LOCAL = ("", "file", "local")
# The bucket is the root of their paths.
_BUCKETS = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl")


@total_ordering
class ObjectPath(os.PathLike[str]):
    """The text of a path: scheme, connection, bucket, and the path inside of it."""

    sep = "/"

    def __init__(self, *args: Any, protocol: str | None = None, conn_id: str | None = None, **storage_options: Any) -> None:
        first = args[0] if args else "."
        text = str(first)
        scheme, colon, rest = text.partition("://") if "://" in text else ("", "", text)
        if protocol and not colon:
            scheme, colon = protocol, "://"
        self.protocol: str = scheme
        netloc, _, path = rest.partition("/") if colon else ("", "", rest)
        if "@" in netloc:
            given, _, netloc = netloc.partition("@")
            conn_id = conn_id or given
        self.conn_id = conn_id or getattr(first, "conn_id", None)
        self.bucket = netloc
        self._path = PurePosixPath(f"/{path}" if colon else path).joinpath(*map(str, args[1:]))
        self.storage_options: dict[str, Any] = storage_options or getattr(first, "storage_options", {})

    @classmethod
    def from_uri(cls, uri: str, **storage_options: Any) -> Self:
        """Return the path that a URI names."""
        return cls(uri, **storage_options)

    def _with(self, path: PurePosixPath | str, **changed: Any) -> Self:
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__ | changed)
        other._path = PurePosixPath(path)
        return other

    @property
    def _is_local(self) -> bool:
        return self.protocol in LOCAL

    def __str__(self) -> str:
        if not self.protocol:
            return str(self._path)
        user = f"{self.conn_id}@" if self.conn_id else ""
        return f"{self.protocol}://{user}{self.bucket}{self._inside}"

    @property
    def _inside(self) -> str:
        """The path within its store, nothing for the whole store; the root of this machine is a path."""
        return str(self._path) if self._is_local or str(self._path) != "/" else ""

    def __repr__(self) -> str:
        return f"ObjectStoragePath({self._plain!r}, protocol={self.protocol!r})"

    @property
    def _plain(self) -> str:
        """Bucket and key, the path itself for a local file."""
        if self._is_local:
            return str(self._path)
        slash = "" if self.protocol in _BUCKETS else "/"
        return f"{slash}{self.bucket}{self._inside}"

    def __fspath__(self) -> str:
        return str(self._path) if self._is_local else str(self)

    def __truediv__(self, other: Any) -> Self:
        return self.joinpath(other)

    def __rtruediv__(self, other: str) -> Self:
        return self._with(PurePosixPath(other) / self._plain, bucket="") if self._is_local else NotImplemented

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectPath) and str(other) == str(self)

    def __hash__(self) -> int:
        return hash(str(self))

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, ObjectPath) or other.protocol != self.protocol:
            return NotImplemented
        return str(self) < str(other)

    @property
    def name(self) -> str:
        """Return the last part."""
        return self._path.name

    @property
    def stem(self) -> str:
        """Return the last part without its ending."""
        return self._path.stem

    @property
    def suffix(self) -> str:
        """Return the ending of the last part."""
        return self._path.suffix

    @property
    def suffixes(self) -> list[str]:
        """Return all endings of the last part."""
        return self._path.suffixes

    @property
    def parent(self) -> Self:
        """Return the folder."""
        return self._with(self._path.parent)

    @property
    def parents(self) -> Sequence[Self]:
        """Return all folders above, the nearest first."""
        return tuple(self._with(path) for path in self._path.parents)

    @property
    def parts(self) -> tuple[str, ...]:
        """Return the parts from the root on; where a store has buckets, the first is the bucket with its slash."""
        if self.protocol in _BUCKETS:
            return (self.anchor, *self._path.parts[1:])
        return PurePosixPath(self._plain).parts

    @property
    def drive(self) -> str:
        """Return the bucket where the store has buckets, else nothing."""
        return self.bucket if self.protocol in _BUCKETS else ""

    @property
    def root(self) -> str:
        """Return the slash that an absolute path begins with."""
        return self._path.root

    @property
    def anchor(self) -> str:
        """Return the root with its bucket, empty for a relative path."""
        return f"{self.drive}{self.root}"

    def is_absolute(self) -> bool:
        """Return whether the path begins at a root."""
        return self._path.is_absolute()

    def is_reserved(self) -> bool:
        """Return False: no store keeps names for itself, as Windows does."""
        return False

    @property
    def container(self) -> str:
        """Return the bucket."""
        return self.bucket

    @property
    def key(self) -> str:
        """Return the path inside of the bucket."""
        return str(self._path).lstrip("/")

    @property
    def namespace(self) -> str:
        """Return scheme and bucket."""
        return f"{self.protocol}://{self.bucket}" if self.bucket else self.protocol

    @property
    def path(self) -> str:
        """Return bucket and key, as the file system names it."""
        return str(self._path) if self._is_local else f"{self.bucket}{self._path}".rstrip("/")

    def as_uri(self) -> str:
        """Return the path with its scheme and without connection. Raises ``ValueError`` for a relative one."""
        if not self.is_absolute():
            raise ValueError(f"{self} is relative; only a path from the root on has a URI")
        return f"{self.protocol or 'file'}://{self.bucket}{self._inside}"

    def as_posix(self) -> str:
        """Return the path with forward slashes: with its scheme, without connection, a path without scheme as it is."""
        return self.as_uri() if self.protocol else str(self._path)

    def joinpath(self, *others: Any) -> Self:
        """Return a path further down; a slash before a part leads to the root on this machine, and nowhere else in a store."""
        parts = [str(part) if self._is_local else str(part).lstrip("/") for part in others]
        return self._with(self._path.joinpath(*parts))

    def joinuri(self, uri: Any) -> Self:
        """Return what a link from here leads to: another URI, or a path beside this one."""
        text = str(uri)
        return type(self)(text, conn_id=self.conn_id) if "://" in text else self._with(self._path.parent / text)

    def with_segments(self, *segments: Any) -> Self:
        """Return a path of the same store made of these parts, the first with its bucket."""
        text = "/".join(map(str, segments))
        if self._is_local:
            return type(self)(text)
        return type(self)(f"{self.protocol}://{text.lstrip('/')}", conn_id=self.conn_id, **self.storage_options)

    def with_name(self, name: str) -> Self:
        """Return the path beside this one with that last part."""
        return self._with(self._path.with_name(name))

    def with_stem(self, stem: str) -> Self:
        """Return the path beside this one with that last part before its ending."""
        return self._with(self._path.with_stem(stem))

    def with_suffix(self, suffix: str) -> Self:
        """Return the path with another ending."""
        return self._with(self._path.with_suffix(suffix))

    def match(self, pattern: str) -> bool:
        """Return whether the path fits a pattern, read from the right as ``pathlib`` does."""
        return self._path.match(pattern)

    def is_relative_to(self, other: Any) -> bool:
        """Return whether the path is ``other`` or below it, whatever connection leads there."""
        above = type(self)(other)
        return self._has_root_of(above) and self._path.is_relative_to(above._path)

    def relative_to(self, other: Any, /, *_: Any, walk_up: bool = False) -> Self:
        """Return what leads from ``other`` to this path; put behind a folder, ``folder / it``, it names what lies there.

        Raises ``ValueError`` where the path is not below ``other``, ``NotImplementedError`` for ``walk_up``.
        """
        if walk_up:
            raise NotImplementedError("walk_up=True is not possible here: a path in a store has no way up")
        above = type(self)(other)
        if not self.is_relative_to(above):
            raise ValueError(f"{self} is not below {above}")
        return type(self)(str(self._path.relative_to(above._path)))

    def _has_root_of(self, other: ObjectPath) -> bool:
        is_same = self.protocol == other.protocol or (self.protocol in LOCAL and other.protocol in LOCAL)
        return is_same and self.bucket == other.bucket

    def samestore(self, other: Any) -> bool:
        """Return whether the other path has the same scheme and connection."""
        return isinstance(other, ObjectPath) and (self.protocol, self.conn_id) == (other.protocol, other.conn_id)
