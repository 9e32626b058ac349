"""Decides what the code tab of a task instance shows: the DAG's file as the version of the try has it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from dags_app.models import DagVersion
from orchestrator.ui.texts import code
from runs.models import AttemptFields

MOST_HIGHLIGHTED = 200 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """The code; ``html`` is safe, and ``plain`` stands for it where the file is too long to be highlighted."""

    version: int
    created_at: datetime
    file: str
    html: str
    plain: str
    line: int | None


def source_of(ti: AttemptFields) -> Source | None:
    """Return the code, None where the version or its code is gone."""
    named = ("version_number", "created_at", "dag__relative_fileloc", "code__source_code")
    found = DagVersion.objects.filter(pk__in=[ti.dag_version_id]).values_list(*named).first()
    if found is None or found[3] is None:
        return None
    number, created_at, file, text = found
    is_short = len(text) <= MOST_HIGHLIGHTED
    html, plain = (code(text, line_names="L"), "") if is_short else ("", text)
    return Source(number, created_at, file or "", html, plain, line_of(text, ti.task_id) if is_short else None)


def line_of(text: str, task_id: str) -> int | None:
    """Return the line that defines a task, as far as one can see it: its function, or where its id is written."""
    name = re.escape(task_id.rpartition(".")[2])
    for pattern in (rf"^\s*(?:async\s+)?def\s+{name}\s*\(", rf"task_id\s*=\s*[\"']{name}[\"']", rf"[\"']{name}[\"']"):
        if found := re.search(pattern, text, re.MULTILINE):
            return text.count("\n", 0, found.start() + len(found[0]) - len(found[0].lstrip())) + 1
    return None
