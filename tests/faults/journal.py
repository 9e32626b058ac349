"""Decides what the journal of the tasks proves: nothing ran twice at once, and nothing again without a reason."""

from collections import defaultdict
from pathlib import Path
from typing import NamedTuple


class Note(NamedTuple):
    """One line that a task wrote."""

    word: str
    run_id: str
    task_id: str
    try_number: int
    ti_id: str
    pid: int


def read_journal(folder: Path) -> list[Note]:
    """All notes in the order in which they were written."""
    lines = (folder / "journal").read_text().splitlines() if (folder / "journal").exists() else []
    words = [line.split() for line in lines]
    return [Note(w, run, task, int(number), ti_id, int(pid)) for w, run, task, number, ti_id, pid in words]


def overlaps(notes: list[Note]) -> list[Note]:
    """Bodies that began while another one of the same task instance ran."""
    return [note for note in notes if note.word == "overlap"]


def bodies_run_again(notes: list[Note]) -> dict[str, list[int]]:
    """Attempts whose body began more than once, with the processes that ran it."""
    began: dict[str, list[int]] = defaultdict(list)
    for note in notes:
        if note.word == "start":
            began[note.ti_id].append(note.pid)
    return {ti_id: pids for ti_id, pids in began.items() if len(pids) > 1}


def never_finished(notes: list[Note], run_id: str, task_ids: set[str]) -> set[str]:
    """Tasks of a run whose body never came to its end."""
    return task_ids - {note.task_id for note in notes if note.word == "end" and note.run_id == run_id}
