"""Decides how processes are tied to their parents, found, ended and accounted for (Linux)."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Iterator

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
OOM_FILES = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control", "/proc/vmstat")

_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent_pid: int) -> None:
    """Have the kernel kill this process when its parent ends; ends at once if the parent is gone already."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)


def adopt_orphans() -> None:
    """Make this process the new parent of descendants whose parent ends, so that none escapes."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def peak_rss_kb(pid: int) -> int | None:
    """Return the largest resident set that a living process had, in kB, or None if it cannot be read."""
    try:
        with open(f"/proc/{pid}/status", "rb", buffering=0) as status:
            text = status.read(4096)
        start = text.index(b"VmHWM:") + 6
        return int(text[start : text.index(b"kB", start)])
    except (OSError, ValueError):
        return None


def rss_kb(pid: int) -> int:
    """Return the resident set of a process in kB; 0 if it is gone."""
    try:
        with open(f"/proc/{pid}/statm", "rb", buffering=0) as statm:
            return int(statm.read(200).split()[1]) * (os.sysconf("SC_PAGE_SIZE") // 1024)
    except (OSError, ValueError, IndexError):
        return 0


def signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group and return whether there was anybody to get it; 0 is no group that is known yet."""
    if group <= 0:
        return False
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def signal_task(pid: int, number: int) -> bool:
    """Send a signal to a task process and its group; to it alone while, just forked, it does not lead a group yet.

    Returns whether there was anybody to get it.
    """
    if pid <= 0 or signal_group(pid, number):
        return pid > 0
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def signal_process(pid: int, number: int) -> None:
    """Send a signal to a process, if it still is there; 0 is no process that is known yet."""
    if pid <= 0:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def session_members(session: int) -> list[tuple[int, str]]:
    """Return (pid, name) of the living processes of a session, zombies left out."""
    return [(pid, name) for pid, name, state, _parent, of in _process_table() if of == session and state not in ("Z", "X")]


def descendants(root: int) -> list[int]:
    """Return the pids of all living descendants of a process."""
    children: dict[int, list[int]] = {}
    for pid, _name, state, parent, _session in _process_table():
        if state not in ("Z", "X"):
            children.setdefault(parent, []).append(pid)
    found: list[int] = []
    queue = [root]
    while queue:
        below = children.get(queue.pop(), [])
        found.extend(below)
        queue.extend(below)
    return found


def kill_descendants(root: int) -> None:
    """Send SIGKILL to every descendant until none is left; new ones that appear meanwhile are found too."""
    for _round in range(1000):
        pids = descendants(root)
        if not pids:
            return
        for pid in pids:
            signal_process(pid, signal.SIGKILL)
        reap_all()


def reap_all() -> None:
    """Collect every child that has ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def oom_kills() -> int:
    """Return how many processes the kernel killed for memory so far: of this cgroup if readable, else of the machine."""
    for path in OOM_FILES:
        with contextlib.suppress(OSError, ValueError), open(path) as counters:
            for line in counters:
                name, _, value = line.partition(" ")
                if name == "oom_kill":
                    return int(value)
    return 0


def _process_table() -> Iterator[tuple[int, str, str, int, int]]:
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", "rb", buffering=0) as stat:
                text = stat.read(1024).decode("utf-8", "replace")
        except OSError:
            continue
        name = text[text.index("(") + 1 : text.rindex(")")]
        state, parent, _group, session = text[text.rindex(")") + 2 :].split()[:4]
        yield int(entry), name, state, int(parent), int(session)
