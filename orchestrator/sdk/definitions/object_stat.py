"""Decides what a path in an object store tells of its file: all that the store says, and ``os.stat``'s names for it."""

from __future__ import annotations

import os
from datetime import datetime
from stat import S_IFDIR, S_IFLNK, S_IFREG, S_ISDIR
from typing import Any

_KINDS = {"file": S_IFREG, "directory": S_IFDIR}


class ObjectStat(dict[str, Any]):
    """What the store says about a file, with the scheme and the connection of its path; what it does not say is 0."""

    @property
    def st_size(self) -> int:
        """Number of bytes."""
        return int(self.get("size") or 0)

    @property
    def st_mtime(self) -> float:
        """When it was last changed, in seconds since 1970."""
        changed = self.get("mtime") or self.get("LastModified") or self.get("last_modified") or 0.0
        return float(changed.timestamp() if isinstance(changed, datetime) else changed)

    @property
    def st_mode(self) -> int:
        """Kind and permissions."""
        if "mode" in self:
            return int(self["mode"])
        return S_IFLNK if self.get("islink") else _KINDS.get(self.get("type", ""), 0)

    st_dev = property(lambda self: 0, doc="Device; no store has one.")
    st_ino = property(lambda self: self.get("ino", 0), doc="Number of the file.")
    st_nlink = property(lambda self: self.get("nlink", 0), doc="Number of its names.")
    st_uid = property(lambda self: self.get("uid", 0), doc="Number of its owner.")
    st_gid = property(lambda self: self.get("gid", 0), doc="Number of its group.")


def info_of_file(path: str) -> dict[str, Any]:
    """Return what fsspec would say about a file of this machine. Raises ``FileNotFoundError``."""
    found = os.stat(path)
    numbers = {name: getattr(found, f"st_{name}") for name in ("size", "mode", "uid", "gid", "mtime", "ino", "nlink")}
    kind = "directory" if S_ISDIR(found.st_mode) else "file"
    return {"name": path, "type": kind, "created": found.st_ctime, "islink": os.path.islink(path), **numbers}
