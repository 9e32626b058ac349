"""Decides how a path in an object store is used; files of this machine are used without fsspec.

A little over 300 lines because all that an author may do with what a path names is one class.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Any

from orchestrator.sdk.definitions.object_path import LOCAL, ObjectPath
from orchestrator.sdk.definitions.object_stat import ObjectStat, info_of_file
from orchestrator.sdk.definitions.object_store_attach import store_for

COPY_BYTES = 1 << 20


class ObjectStoragePath(ObjectPath):
    """A path such as ``s3://conn_id@bucket/key`` or ``file:///tmp/x``.

    The extra of the connection ``conn_id`` holds the options of the file system, by fsspec's names.
    """

    __version__ = 1

    @property
    def _is_local(self) -> bool:
        return self.protocol in LOCAL and not self.storage_options and not store_for(self.protocol, self.conn_id, {}).is_given

    @classmethod
    def cwd(cls) -> ObjectStoragePath:
        """Return the working directory of this process."""
        return cls(os.getcwd())

    @classmethod
    def home(cls) -> ObjectStoragePath:
        """Return the home of the user of this process."""
        return cls(os.path.expanduser("~"))

    def expanduser(self) -> ObjectStoragePath:
        """Return the path with ``~`` replaced by the user's home."""
        return self._with(os.path.expanduser(str(self._path))) if self._is_local else self

    def absolute(self) -> ObjectStoragePath:
        """Return the path from the root on."""
        return self._with(os.path.abspath(str(self._path))) if not self.is_absolute() else self

    def resolve(self, strict: bool = False) -> ObjectStoragePath:
        """Return the path without ``..``; of a file of this machine also without links.

        Raises ``FileNotFoundError`` where ``strict`` is true and a file of this machine is missing.
        """
        text = str(self._path)
        return self._with(os.path.realpath(text, strict=strict) if self._is_local else os.path.normpath(text))

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

    def is_symlink(self) -> bool:
        """Return whether it is a symbolic link, which only files of this machine can be."""
        return self._is_local and os.path.islink(self.path)

    def is_mount(self) -> bool:
        """Return whether it is a mount point of this machine."""
        return self._is_local and os.path.ismount(self.path)

    def is_socket(self) -> bool:
        """Return whether it is a socket of this machine."""
        return self._has_kind(stat.S_ISSOCK)

    def is_fifo(self) -> bool:
        """Return whether it is a pipe of this machine."""
        return self._has_kind(stat.S_ISFIFO)

    def is_block_device(self) -> bool:
        """Return whether it is a block device of this machine."""
        return self._has_kind(stat.S_ISBLK)

    def is_char_device(self) -> bool:
        """Return whether it is a character device of this machine."""
        return self._has_kind(stat.S_ISCHR)

    def is_junction(self) -> bool:
        """Return False: no store has what Windows calls a junction."""
        return False

    def _has_kind(self, is_kind: Any) -> bool:
        return self._is_local and self.exists() and is_kind(os.stat(self.path).st_mode)

    def is_dir(self) -> bool:
        """Return whether it is a folder."""
        return os.path.isdir(self.path) if self._is_local else bool(self.fs.isdir(self.path))

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        """Make the folder, with ``parents`` those above it too.

        Raises ``FileExistsError`` where it is there and ``exist_ok`` is false, ``FileNotFoundError`` where one above is missing.
        """
        if self.exists():
            if not (exist_ok and self.is_dir()):
                raise FileExistsError(str(self))
        elif self._is_local:
            os.makedirs(self.path, mode=mode, exist_ok=exist_ok) if parents else os.mkdir(self.path, mode)
        else:
            self.fs.mkdir(self.path, create_parents=parents)

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
        """Delete the folder, with what is in it. Raises ``NotADirectoryError`` for what is none."""
        if not self.is_dir():
            raise NotADirectoryError(str(self))
        self.fs.rm(self.path, recursive=recursive)

    def iterdir(self) -> Iterator[ObjectStoragePath]:
        """Return what is in the folder."""
        if self._is_local:
            names = os.listdir(self.path)
        else:
            names = [found.rstrip("/").rpartition("/")[2] for found in self.fs.ls(self.path, detail=False)]
        return (self / name for name in sorted(names))

    def walk(
        self, top_down: bool = True, on_error: Any = None, follow_symlinks: bool = False
    ) -> Iterator[tuple[ObjectStoragePath, list[str], list[str]]]:
        """Return each folder below with the names of its folders and files, as ``pathlib.Path.walk`` does."""
        try:
            children = list(self.iterdir())
        except OSError as error:
            if on_error is not None:
                on_error(error)
            return
        folders = [child.name for child in children if child.is_dir() and (follow_symlinks or not child.is_symlink())]
        files = [child.name for child in children if child.name not in folders]
        if top_down:
            yield self, folders, files
        for name in folders:
            yield from (self / name).walk(top_down, on_error, follow_symlinks)
        if not top_down:
            yield self, folders, files

    def glob(self, pattern: str) -> Iterator[ObjectStoragePath]:
        """Return what matches below the folder; ``**`` stands for any folders."""
        folder = os.path.abspath(self.path) if self._is_local else self.path
        start = len(folder.strip("/"))
        found = self.fs.glob(f"{folder}/{pattern}")
        return (self / name.strip("/")[start:].lstrip("/") for name in sorted(found))

    def rglob(self, pattern: str) -> Iterator[ObjectStoragePath]:
        """Return what matches in the folder and all below it."""
        return self.glob(f"**/{pattern}")

    def stat(self, *, follow_symlinks: bool = True) -> ObjectStat:
        """Return size and times, as ``os.stat`` names them (``st_size``) and as the file system does (``["size"]``)."""
        info = info_of_file(self.path) if self._is_local else self.fs.info(self.path)
        return ObjectStat(info, protocol=self.protocol, conn_id=self.conn_id)

    def lstat(self) -> ObjectStat:
        """Return ``stat()``."""
        return self.stat()

    def samefile(self, other_path: Any) -> bool:
        """Return whether the other path of the same store leads to the same file. Raises ``FileNotFoundError`` for a missing one.

        Where a store has no numbers for its files the names decide, without their ``..``.
        """
        if not isinstance(other_path, ObjectStoragePath):
            return False
        own, other = self.stat(), other_path.stat()
        if not self.samestore(other_path):
            return False
        if "ino" in own and "ino" in other:
            return bool(own["ino"] == other["ino"])
        return self.resolve() == other_path.resolve()

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

    def read_text(self, encoding: str | None = None, errors: str | None = None, newline: str | None = None) -> str:
        """Return the text of the file; UTF-8 unless another encoding is named."""
        with self.open("r", encoding=encoding or "utf-8", errors=errors, newline=newline) as file:
            return str(file.read())

    def read_bytes(self) -> bytes:
        """Return the bytes of the file."""
        with self.open("rb") as file:
            return bytes(file.read())

    def write_text(self, data: str, encoding: str | None = None, errors: str | None = None, newline: str | None = None) -> int:
        """Write the text, in UTF-8 unless another encoding is named; returns the number of characters."""
        with self.open("w", encoding=encoding or "utf-8", errors=errors, newline=newline) as file:
            return int(file.write(data))

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
            children = list(self.iterdir())
            if not children:
                target.mkdir(parents=True, exist_ok=True)  # others are made by their files
            for child in children:
                child.copy(target / child.name, recursive=True)
            return
        with self.open("rb") as source, target.open("wb") as sink:
            while part := source.read(COPY_BYTES):
                sink.write(part)

    def copy_into(self, target_dir: Any, recursive: bool = False, **more: Any) -> None:
        """Copy into a folder of any store. Raises ``NotADirectoryError`` where there is none."""
        self.copy(self._into(target_dir), recursive=recursive, **more)

    def move_into(self, target_dir: Any, recursive: bool = False, **more: Any) -> None:
        """Move into a folder of any store. Raises ``NotADirectoryError`` where there is none."""
        self.move(self._into(target_dir), recursive=recursive, **more)

    def _into(self, target_dir: Any) -> ObjectStoragePath:
        folder = type(self)(target_dir)
        if not folder.is_dir():
            raise NotADirectoryError(f"{folder} is no folder to put {self.name} in")
        return folder / self.name

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
