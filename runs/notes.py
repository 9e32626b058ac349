"""Decides how notes on runs and task instances are written: an empty text takes a note away."""

from __future__ import annotations

from collections.abc import Sequence

from runs.models import DagRun, TaskInstance


def set_notes(rows: Sequence[TaskInstance], note: str | None, *, user: str) -> None:
    """Write one note on task instances; no text (None or empty) removes theirs."""
    for row in rows:
        row.note, row.note_user = note or None, user if note else None
    TaskInstance.objects.filter(pk__in=[row.pk for row in rows]).update(note=note or None, note_user=user if note else None)


def set_run_note(run: DagRun, note: str | None, *, user: str) -> None:
    """Write the note of a run; no text removes it."""
    run.note, run.note_user = note or None, user if note else None
    DagRun.objects.filter(pk=run.pk).update(note=run.note, note_user=run.note_user)
