"""Decides who may touch a bundle's folders: locks on files, which end with the processes that hold them."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PAUSE_SECONDS = 0.05


@contextmanager
def exclusive(path: Path, wait_seconds: float) -> Iterator[int]:
    """Hold the lock of a file; gives its descriptor, so that a child process can hold it too.

    Raises ``TimeoutError`` naming the file when another process keeps it longer than ``wait_seconds``.
    """
    descriptor = _open(path)
    try:
        deadline = time.monotonic() + wait_seconds
        while not _try(descriptor, fcntl.LOCK_EX):
            if time.monotonic() >= deadline:
                raise TimeoutError(f"{path} is locked by another process for more than {wait_seconds:g} s")
            time.sleep(PAUSE_SECONDS)
        yield descriptor
    finally:
        os.close(descriptor)


def hold_shared(path: Path) -> int:
    """Say that this process, and those forked from it, use what the lock stands for; ends with them."""
    descriptor = _open(path)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


@contextmanager
def if_unused(path: Path) -> Iterator[bool]:
    """Give True, and the lock, only where nobody uses what it stands for."""
    descriptor = _open(path)
    try:
        yield _try(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o664)


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
