"""Decides which DAG files the fault tests run: every task writes a journal by which overlaps and second runs are proved."""

from pathlib import Path

# The lock is the kernel's: it falls with the process, so that a second body at the same time cannot get it.
JOURNAL = """
import fcntl
import os
import threading
from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG, task, get_current_context

FOLDER = Path({folder!r})


def note(*words):
    line = " ".join(str(word) for word in words) + "\\n"
    journal = os.open(FOLDER / "journal", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.write(journal, line.encode())
    os.close(journal)


def body(seconds=0.0, held=False):
    ti = get_current_context()["ti"]
    words = (ti.run_id, ti.task_id, ti.try_number, ti.id, os.getpid())
    lock = os.open(FOLDER / f"{{ti.run_id}}.{{ti.task_id}}.lock", os.O_WRONLY | os.O_CREAT)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        note("overlap", *words)
        raise
    note("start", *words)
    while held and not (FOLDER / "gate").exists():
        threading.Event().wait(0.05)
    if seconds:
        threading.Event().wait(seconds)
    note("end", *words)
"""

WEB = """
with DAG("web", schedule={schedule!r}, is_paused_upon_creation=False,
         default_args={{"retries": 3, "retry_delay": timedelta(milliseconds=100)}}, max_active_tasks=64, max_active_runs={max_runs}):

    @task
    def work(seconds=0.0, held=False):
        body(seconds, held)

    first, middle, last = (work.override(task_id=name)() for name in ("first", "middle", "last"))
    for number in range({wide}):
        first >> work.override(task_id=f"wide_{{number:03}}")(seconds={seconds}, held={held}) >> middle
    for chain in range({chains}):
        before = middle
        for link in range({links}):
            after = work.override(task_id=f"chain_{{chain}}_{{link:03}}")()
            before >> after
            before = after
        before >> last
"""


def web(folder: Path, *, wide: int = 121, chains: int = 8, links: int = 22, seconds: float = 0.0, schedule: str | None = "@once",
        max_runs: int = 16, held: bool = False) -> str:  # fmt: skip
    """A DAG of ``wide + chains * links + 3`` tasks (300): fan-out, fan-in, chains, fan-in; the wide ones last ``seconds``.

    With ``held`` the wide ones wait before it for the file ``gate`` in the folder: so many run together on a slow machine too.
    """
    shape = {"wide": wide, "chains": chains, "links": links, "seconds": seconds, "schedule": schedule, "max_runs": max_runs}
    shape["held"] = held
    return journal(folder) + WEB.format(**shape)


def journal(folder: Path) -> str:
    """The head of a DAG file with ``body()``, which a task calls to be followed."""
    return JOURNAL.format(folder=str(folder))
