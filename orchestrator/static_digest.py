"""Decides the part of a static file's address that changes with the content of any of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

LENGTH = 10


def digest_of(folders: Iterable[Path]) -> str:
    """Return a digest over names and contents of all files; the same for every server of one release."""
    whole = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                whole.update(f"{path.relative_to(folder)}\0".encode())
                whole.update(path.read_bytes())
    return whole.hexdigest()[:LENGTH]


def is_immutable(path: str, url: str) -> bool:
    """Return whether what is at an address never changes: all of them, since each has the digest."""
    return True
