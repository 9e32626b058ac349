"""Decides where tests may break a process on purpose; without ``ORCHESTRATOR_FAULTS`` nothing happens.

``ORCHESTRATOR_FAULTS`` is a comma list of ``name:action[:nth]``. Actions: ``kill`` (SIGKILL), ``exit`` (no cleanup), ``raise``
(FaultError), ``freeze`` (SIGSTOP) and ``block:<path>[:nth]``, which creates ``<path>.reached`` and waits until ``<path>`` exists.
With ``ORCHESTRATOR_FAULTS_ONCE`` naming a folder the passages are counted over all processes together, so that each fault
happens once; ``<name>.happened`` appears there when it does.
"""

import os
import signal
import threading
from collections import Counter
from pathlib import Path
from typing import NamedTuple

BLOCK_POLL_SECONDS = 0.02


class FaultError(Exception):
    """The error that an armed ``raise`` fault raises."""


class Fault(NamedTuple):
    """What happens at the ``nth`` passage of a point."""

    action: str
    nth: int
    path: str


def parse(text: str) -> dict[str, Fault]:
    """Faults by point. Raises ValueError for a text that is not understood."""
    faults = {}
    for entry in filter(None, text.split(",")):
        name, action, *rest = entry.strip().split(":")
        if action not in ("kill", "exit", "raise", "freeze", "block"):
            raise ValueError(f"ORCHESTRATOR_FAULTS: unknown action {action!r} in {entry!r}.")
        path = rest.pop(0) if action == "block" else ""
        faults[name] = Fault(action, int(rest[0]) if rest else 1, path)
    return faults


_faults = parse(os.environ.get("ORCHESTRATOR_FAULTS", ""))
_passages: Counter[str] = Counter()


def fault_point(name: str) -> None:
    """A place where a test may break this process."""
    if not _faults:
        return
    fault = _faults.get(name)
    if fault is None:
        return
    _passages[name] += 1
    folder = os.environ.get("ORCHESTRATOR_FAULTS_ONCE")
    if (_passages_of_all(Path(folder), name) if folder else _passages[name]) == fault.nth:
        _happen(name, fault)


def is_armed() -> bool:
    """Whether this process is one that tests break on purpose."""
    return bool(_faults)


def arm(text: str) -> None:
    """Replace the armed faults of this process; an empty text disarms all."""
    _faults.clear()
    _faults.update(parse(text))
    _passages.clear()


def _passages_of_all(folder: Path, name: str) -> int:
    """Count this passage in a file: the offset after an append is this process's number."""
    counter = os.open(folder / f"{name}.passages", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    try:
        os.write(counter, b".")
        return os.lseek(counter, 0, os.SEEK_CUR)
    finally:
        os.close(counter)


def _happen(name: str, fault: Fault) -> None:
    if folder := os.environ.get("ORCHESTRATOR_FAULTS_ONCE"):
        (Path(folder) / f"{name}.happened").touch()
    if fault.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif fault.action == "freeze":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif fault.action == "exit":
        os._exit(1)
    elif fault.action == "raise":
        raise FaultError(f"The armed fault {name!r} happened.")
    else:
        Path(f"{fault.path}.reached").touch()
        pause = threading.Event()
        while not Path(fault.path).exists():
            pause.wait(BLOCK_POLL_SECONDS)
