"""Decides how a path in an object store is written and used; files of this machine need no further package."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from orchestrator.sdk.exceptions import AirflowOptionalProviderFeatureException

_LOCAL = ("", "file", "local")


class ObjectStoragePath(os.PathLike[str]):
    """A path such as ``s3://conn_id@bucket/key`` or ``file:///tmp/x``; other schemes than ``file`` need fsspec."""

    def __init__(self, *args: Any, conn_id: str | None = None, **storage_options: Any) -> None:
        first = args[0] if args else "."
        text = str(first)
        parts = urlsplit(text) if "://" in text else None
        self.protocol = parts.scheme if parts else "file"
        netloc = parts.netloc if parts else ""
        if "@" in netloc:
            given, _, netloc = netloc.partition("@")
            conn_id = conn_id or given
        self.conn_id = conn_id or getattr(first, "conn_id", None)
        self.bucket = netloc
        path = PurePosixPath(parts.path or "/") if parts else PurePosixPath(text)
        self._path = path.joinpath(*map(str, args[1:]))
        self.storage_options = storage_options or getattr(first, "storage_options", {})

    def _with(self, path: PurePosixPath) -> ObjectStoragePath:
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._path = path
        return other

    def __str__(self) -> str:
        if self.protocol in _LOCAL and not self.bucket:
            return f"file://{self._path}" if self._path.is_absolute() else str(self._path)
        user = f"{self.conn_id}@" if self.conn_id else ""
        return f"{self.protocol}://{user}{self.bucket}{self._path if str(self._path) != '/' else ''}"

    def __repr__(self) -> str:
        return f"ObjectStoragePath({str(self)!r})"

    def __fspath__(self) -> str:
        return str(self._path) if self.protocol in _LOCAL else str(self)

    def __truediv__(self, other: Any) -> ObjectStoragePath:
        return self._with(self._path / str(other))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectStoragePath) and str(other) == str(self)

    def __hash__(self) -> int:
        return hash(str(self))

    def __lt__(self, other: ObjectStoragePath) -> bool:
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
    def parent(self) -> ObjectStoragePath:
        """Return the folder."""
        return self._with(self._path.parent)

    @property
    def key(self) -> str:
        """Return the path inside the bucket."""
        return str(self._path).lstrip("/")

    @property
    def path(self) -> str:
        """Return bucket and key, as the file system names it."""
        return str(self._path) if self.protocol in _LOCAL else f"{self.bucket}/{self.key}"

    def joinpath(self, *others: Any) -> ObjectStoragePath:
        """Return a path further down."""
        return self._with(self._path.joinpath(*map(str, others)))

    @property
    def fs(self) -> Any:
        """Return the fsspec file system; raises ``AirflowOptionalProviderFeatureException`` without fsspec."""
        try:
            import fsspec  # type: ignore[import-not-found,import-untyped,unused-ignore]
        except ImportError:
            raise AirflowOptionalProviderFeatureException(
                f"{self}: paths of scheme {self.protocol!r} need the package fsspec and the one for the store (such as s3fs)"
            ) from None
        return fsspec.filesystem(self.protocol, **self.storage_options)

    @contextmanager
    def open(self, mode: str = "r", **kwargs: Any) -> Iterator[Any]:
        """Open the file as the standard ``open`` does; folders are made for writing."""
        if self.protocol in _LOCAL:
            if "r" not in mode:
                os.makedirs(os.path.dirname(self.path) or ".", exist_ok=True)
            with open(self.path, mode, **kwargs) as file:
                yield file
        else:
            with self.fs.open(self.path, mode, **kwargs) as file:
                yield file

    def exists(self) -> bool:
        """Return whether there is a file or folder."""
        return os.path.exists(self.path) if self.protocol in _LOCAL else bool(self.fs.exists(self.path))

    def is_file(self) -> bool:
        """Return whether it is a file."""
        return os.path.isfile(self.path) if self.protocol in _LOCAL else bool(self.fs.isfile(self.path))

    def is_dir(self) -> bool:
        """Return whether it is a folder."""
        return os.path.isdir(self.path) if self.protocol in _LOCAL else bool(self.fs.isdir(self.path))

    def mkdir(self, mode: int = 0o777, parents: bool = True, exist_ok: bool = True) -> None:
        """Make the folder."""
        if self.protocol in _LOCAL:
            os.makedirs(self.path, mode=mode, exist_ok=exist_ok)
        else:
            self.fs.makedirs(self.path, exist_ok=exist_ok)

    def unlink(self, missing_ok: bool = False) -> None:
        """Delete the file."""
        if missing_ok and not self.exists():
            return
        if self.protocol in _LOCAL:
            os.unlink(self.path)
        else:
            self.fs.rm(self.path)

    def iterdir(self) -> Iterator[ObjectStoragePath]:
        """Return what is in the folder."""
        names = (
            os.listdir(self.path)
            if self.protocol in _LOCAL
            else [p.rpartition("/")[2] for p in self.fs.ls(self.path, detail=False)]
        )
        return (self / name for name in sorted(names))

    def read_text(self, encoding: str = "utf-8") -> str:
        """Return the text of the file."""
        with self.open("rb") as file:
            return str(file.read().decode(encoding))

    def read_bytes(self) -> bytes:
        """Return the bytes of the file."""
        with self.open("rb") as file:
            return bytes(file.read())

    def write_text(self, text: str, encoding: str = "utf-8") -> int:
        """Write the text; returns the number of bytes."""
        return self.write_bytes(text.encode(encoding))

    def write_bytes(self, data: bytes) -> int:
        """Write the bytes; returns their number."""
        with self.open("wb") as file:
            return int(file.write(data))
