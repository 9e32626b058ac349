"""Decides whether a process of this machine is still the one that was registered under its pid."""

from __future__ import annotations

import os


def pid_started(pid: int) -> str | None:
    """Return a text that names the start of ``pid`` (clock ticks since boot and the boot), None where it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            # The command name may hold spaces and brackets: count the fields after its closing one.
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else f"{fields[19]}@{_boot_id()}"


def is_alive(pid: int, started: str) -> bool:
    """Return whether ``pid`` lives and is the process that started then; without /proc the pid alone decides."""
    if os.path.isdir("/proc/self"):
        return pid_started(pid) == started
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _boot_id() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read(8)
    except OSError:
        return ""
