"""Decides how a path in an object store is written and used; files of this machine are used without fsspec.

A little over 300 lines because all that an author may call on a path is one class.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from orchestrator.sdk.definitions.object_store_attach import store_for

_LOCAL = ("", "file", "local")
COPY_BYTES = 1 << 20


class ObjectStoragePath(os.PathLike[str]):
    """A path such as ``s3://conn_id@bucket/key`` or ``file:///tmp/x``.

    The extra of the connection ``conn_id`` holds the options of the file system, by fsspec's names.
    """

    __version__ = 1

    def __init__(self, *args: Any, conn_id: str | None = None, **storage_options: Any) -> None:
        first = args[0] if args else "."
        text = str(first)
        parts = urlsplit(text) if "://" in text else None
        self.protocol: str = parts.scheme if parts else ""
        netloc = parts.netloc if parts else ""
        if "@" in netloc:
            given, _, netloc = netloc.partition("@")
            conn_id = conn_id or given
        self.conn_id = conn_id or getattr(first, "conn_id", None)
        self.bucket = netloc
        path = PurePosixPath(parts.path or "/") if parts else PurePosixPath(text)
        self._path = path.joinpath(*map(str, args[1:]))
        self.storage_options: dict[str, Any] = storage_options or getattr(first, "storage_options", {})

    def _with(self, path: PurePosixPath) -> ObjectStoragePath:
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._path = path
        return other

    def __str__(self) -> str:
        if not self.protocol:
            return str(self._path)
        user = f"{self.conn_id}@" if self.conn_id else ""
        return f"{self.protocol}://{user}{self.bucket}{self._path if str(self._path) != '/' else ''}"

    def __repr__(self) -> str:
        return f"ObjectStoragePath({self._plain!r}, protocol={self.protocol!r})"

    @property
    def _plain(self) -> str:
        """Bucket and key with a leading slash, the path itself for a local file."""
        return str(self._path) if self._is_local else f"/{self.bucket}{self._path if str(self._path) != '/' else ''}"

    @property
    def _is_local(self) -> bool:
        return self.protocol in _LOCAL and not self.storage_options and store_for(self.protocol, self.conn_id, {})._fs is None

    def __fspath__(self) -> str:
        return str(self._path) if self._is_local else str(self)

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
    def suffixes(self) -> list[str]:
        """Return all endings of the last part."""
        return self._path.suffixes

    @property
    def parts(self) -> tuple[str, ...]:
        """Return the parts from the root on."""
        return PurePosixPath(self._plain).parts

    @property
    def anchor(self) -> str:
        """Return the root, empty for a relative path."""
        return PurePosixPath(self._plain).anchor

    def is_absolute(self) -> bool:
        """Return whether the path begins at a root."""
        return PurePosixPath(self._plain).is_absolute()

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
        """Return the path with its scheme and without connection."""
        return f"{self.protocol or 'file'}://{self.bucket}{self._path if str(self._path) != '/' else ''}"

    def joinpath(self, *others: Any) -> ObjectStoragePath:
        """Return a path further down."""
        return self._with(self._path.joinpath(*map(str, others)))

    def with_name(self, name: str) -> ObjectStoragePath:
        """Return the path beside this one with that last part."""
        return self._with(self._path.with_name(name))

    def with_suffix(self, suffix: str) -> ObjectStoragePath:
        """Return the path with another ending."""
        return self._with(self._path.with_suffix(suffix))

    def is_relative_to(self, other: Any) -> bool:
        """Return whether the path is ``other`` or below it."""
        above = type(self)(other)
        return self.samestore(above) and self.bucket == above.bucket and self._path.is_relative_to(above._path)

    def samestore(self, other: Any) -> bool:
        """Return whether the other path has the same scheme and connection."""
        if not isinstance(other, ObjectStoragePath):
            return False
        return (self.protocol, self.conn_id) == (other.protocol, other.conn_id)

    @property
    def fs(self) -> Any:
        """Return the fsspec file system; raises ``AirflowOptionalProviderFeatureException`` without what it needs."""
        return store_for(self.protocol, self.conn_id, self.storage_options).fs

    def open(self, mode: str = "r", **kwargs: Any) -> Any:
        """Return the open file, as the standard ``open`` does, or with ``compression=``; folders are made for writing."""
        writes = "r" not in mode
        if self._is_local and "compression" not in kwargs:
            if writes:
                os.makedirs(os.path.dirname(self.path) or ".", exist_ok=True)
            return open(self.path, mode, **kwargs)
        if writes:
            self.fs.makedirs(self.fs._parent(self.path), exist_ok=True)
        return self.fs.open(self.path, mode, **kwargs)

    def exists(self) -> bool:
        """Return whether there is a file or folder."""
        return os.path.exists(self.path) if self._is_local else bool(self.fs.exists(self.path))

    def is_file(self) -> bool:
        """Return whether it is a file."""
        return os.path.isfile(self.path) if self._is_local else bool(self.fs.isfile(self.path))

    def is_dir(self) -> bool:
        """Return whether it is a folder."""
        return os.path.isdir(self.path) if self._is_local else bool(self.fs.isdir(self.path))

    def mkdir(self, mode: int = 0o777, parents: bool = True, exist_ok: bool = True) -> None:
        """Make the folder."""
        if self._is_local:
            os.makedirs(self.path, mode=mode, exist_ok=exist_ok)
        else:
            self.fs.makedirs(self.path, exist_ok=exist_ok)

    def touch(self, mode: int = 0o666, exist_ok: bool = True) -> None:
        """Make an empty file where there is none; raises ``FileExistsError`` where one must not be there."""
        if self.exists():
            if not exist_ok:
                raise FileExistsError(str(self))
            return
        self.write_bytes(b"")

    def unlink(self, missing_ok: bool = False) -> None:
        """Delete the file; raises ``FileNotFoundError`` where there is none."""
        if missing_ok and not self.exists():
            return
        if self._is_local:
            os.unlink(self.path)
        else:
            self.fs.rm_file(self.path)

    def rmdir(self, recursive: bool = True) -> None:
        """Delete the folder, with what is in it."""
        self.fs.rm(self.path, recursive=recursive)

    def iterdir(self) -> Iterator[ObjectStoragePath]:
        """Return what is in the folder."""
        if self._is_local:
            names = os.listdir(self.path)
        else:
            names = [found.rstrip("/").rpartition("/")[2] for found in self.fs.ls(self.path, detail=False)]
        return (self / name for name in sorted(names))

    def glob(self, pattern: str) -> Iterator[ObjectStoragePath]:
        """Return what matches below the folder; ``**`` stands for any folders."""
        start = len(self.path.strip("/"))
        found = self.fs.glob(f"{self.path}/{pattern}")
        return (self / name.strip("/")[start:].lstrip("/") for name in sorted(found))

    def rglob(self, pattern: str) -> Iterator[ObjectStoragePath]:
        """Return what matches in the folder and all below it."""
        return self.glob(f"**/{pattern}")

    def stat(self) -> Any:
        """Return size and times, as ``os.stat`` names them (``st_size``), of any file system."""
        if self._is_local:
            return os.stat(self.path)
        info = self.fs.info(self.path)
        return SimpleNamespace(st_size=info.get("size", 0), st_mode=0o040000 if info["type"] == "directory" else 0o100000, **info)

    def size(self) -> int:
        """Return the number of bytes."""
        return int(os.path.getsize(self.path) if self._is_local else self.fs.size(self.path))

    def checksum(self) -> int:
        """Return a number that changes with the file."""
        return int(self.fs.checksum(self.path))

    def ukey(self) -> str:
        """Return a text that changes with the file."""
        return str(self.fs.ukey(self.path))

    def read_block(self, offset: int, length: int | None, delimiter: bytes | None = None) -> bytes:
        """Return bytes from the middle, from one delimiter to another if there is one."""
        return bytes(self.fs.read_block(self.path, offset, length, delimiter=delimiter))

    def sign(self, expiration: int = 100, **kwargs: Any) -> Any:
        """Return a URL that lets others read the file for ``expiration`` seconds; not every store can."""
        return self.fs.sign(self.path, expiration, **kwargs)

    def read_text(self, encoding: str = "utf-8") -> str:
        """Return the text of the file."""
        return self.read_bytes().decode(encoding)

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

    def copy(self, dst: Any, recursive: bool = False, **_: Any) -> None:
        """Copy the file, or with ``recursive`` the folder, to a path of any store; an existing folder takes it in."""
        target = type(self)(dst)
        if not self.exists():
            raise FileNotFoundError(f"{self} does not exist")
        if target.is_dir():
            target = target / self.name
        if self.is_dir():
            if not recursive:
                raise ValueError(f"{self} is a folder; copy it with recursive=True")
            for child in self.iterdir():
                child.copy(target / child.name, recursive=True)
            return
        with self.open("rb") as source, target.open("wb") as sink:
            while part := source.read(COPY_BYTES):
                sink.write(part)

    def move(self, path: Any, recursive: bool = False, **_: Any) -> None:
        """Copy to a path of any store and delete here."""
        self.copy(path, recursive=recursive)
        if self.is_dir():
            self.rmdir()
        else:
            self.unlink()

    def rename(self, target: Any, **_: Any) -> ObjectStoragePath:
        """Move to another path of the same store; returns it."""
        self.fs.mv(self.path, type(self)(target).path, recursive=self.is_dir())
        return type(self)(target)

    replace = rename

    def serialize(self) -> dict[str, Any]:
        """Return the path as JSON types, as XComs keep it."""
        return {"path": str(self), "conn_id": self.conn_id, "kwargs": dict(self.storage_options)}

    @classmethod
    def deserialize(cls, data: dict[str, Any], version: int) -> ObjectStoragePath:
        """Return the path that ``serialize`` wrote; raises ``ValueError`` for a newer form."""
        if version > cls.__version__:
            raise ValueError(f"an ObjectStoragePath of version {version} is newer than this program reads ({cls.__version__})")
        return cls(data["path"], conn_id=data.get("conn_id"), **(data.get("kwargs") or {}))
