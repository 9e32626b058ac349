"""Decides the Linux calls that keep a process tree together; elsewhere they do nothing."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36


def _prctl(option: int, argument: int | bytes) -> None:
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    ctypes.CDLL(None).prctl(option, argument, 0, 0, 0)


def die_with_parent(parent_pid: int) -> None:
    """Get SIGTERM when the parent dies, however it dies; end at once where it is dead already."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent_pid:
        os._exit(0)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose parent dies, so that none can get lost."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def name_process(name: str) -> None:
    """Show ``name`` (15 characters of it) in ``ps -e`` and ``top``."""
    _prctl(PR_SET_NAME, name.encode()[:15])


def descendants(pid: int) -> list[int]:
    """All living processes below ``pid``, parents first."""
    children: dict[int, list[int]] = {}
    for child, parent in _parents():
        children.setdefault(parent, []).append(child)
    found, todo = [], [pid]
    while todo:
        todo_now = children.get(todo.pop(0), [])
        found += todo_now
        todo += todo_now
    return found


def kill_all(pids: list[int]) -> None:
    """SIGKILL each; one that is gone is fine."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _parents() -> Iterator[tuple[int, int]]:
    """Process ids with their parents; zombies are left out, they are dead."""
    with contextlib.suppress(FileNotFoundError):
        for entry in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as file:
                state, parent = file.read().rpartition(")")[2].split()[:2]
                if state != "Z":
                    yield int(entry), int(parent)
