"""Decides how processes are found, named, and what memory and processor time they took; read from /proc (Linux)."""

import contextlib
import os
from collections import defaultdict
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path

from orchestrator.standalone.linux import descendants

TICKS = os.sysconf("SC_CLK_TCK")
# Names that say nothing about the part: the command line says more.
GENERIC = ("python", "airflow", "gunicorn", "uvicorn")
LABEL_LENGTH = 60


def family(root: int) -> list[int]:
    """Return the process and all living ones below it."""
    return [root, *descendants(root)]


def label(pid: int) -> str:
    """Return what a reader calls this process: the name that it gave itself, else its command line without paths.

    Raises OSError where the process is gone.
    """
    name = Path(f"/proc/{pid}/comm").read_text().strip()
    words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").split()
    if not name.startswith(GENERIC):
        return "postgres" if name == "postgres" else name
    plain = takewhile(lambda word: not word.startswith("--"), words)
    short = " ".join(word.rsplit("/", 1)[-1] for word in plain if not word.isdigit() and not word.startswith("{"))
    return (short or name)[:LABEL_LENGTH].strip()


def memory_mb(pids: Iterable[int]) -> dict[str, tuple[int, float]]:
    """Return how many processes there are and their proportional set size in MB, by label; shared pages count once."""
    found: dict[str, tuple[int, float]] = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            name, pss = label(pid), _pss_kb(pid) / 1024
            count, total = found.get(name, (0, 0.0))
            found[name] = (count + 1, total + pss)
    return found


def _pss_kb(pid: int) -> int:
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return next((int(line.split()[1]) for line in file if line.startswith("Pss:")), 0)


class ProcessorTimes:
    """The processor time of a set of processes at one moment; ``since`` gives what was used after an earlier one."""

    def __init__(self, pids: Iterable[int]) -> None:
        self.own: dict[int, float] = {}
        self.ended: dict[int, float] = {}
        self.labels: dict[int, str] = {}
        self.parents: dict[int, int] = {}
        for pid in pids:
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
                user, system, ended_user, ended_system = (int(field) / TICKS for field in fields[11:15])
                self.labels[pid], self.parents[pid] = label(pid), int(fields[1])
                self.own[pid], self.ended[pid] = user + system, ended_user + ended_system

    def since(self, before: "ProcessorTimes") -> dict[str, float]:
        """Return seconds by label. Children that ended count under the one that waited for them, in a row of its own."""
        used: dict[str, float] = defaultdict(float)
        for pid, name in self.labels.items():
            used[name] += self.own[pid] - before.own.get(pid, 0.0)
            used[f"{name}: ended children"] += self.ended[pid] - before.ended.get(pid, 0.0)
        for pid in before.labels.keys() - self.labels.keys():
            # What it used before the first moment came to its parent with its end.
            parent = before.labels.get(before.parents[pid], "")
            used[f"{parent}: ended children"] -= before.own[pid] + before.ended[pid]
        return {name: seconds for name, seconds in used.items() if seconds > 0}


def machine_busy_seconds() -> float:
    """Return the processor time that everything on this machine has used since it started."""
    user, nice, system, _idle, _wait, irq, soft_irq = (
        int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:8]
    )
    return (user + nice + system + irq + soft_irq) / TICKS
