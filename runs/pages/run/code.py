"""Decides which code the tab of a run shows: the file as it was in the version that the run uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dags_app.models import DagVersion
from orchestrator.ui.texts import code
from runs.models import DagRun
from runs.pages.run.details import versions_used
from runs.pages.run.head import RunHead

# Above this a file is shown as plain text.
MOST_COLOURED = 200_000


@dataclass(frozen=True, slots=True)
class RunCode:
    """The code. ``numbers``: the versions that one may choose; ``is_own``: it is one that the run uses."""

    version: DagVersion | None
    file: str
    text: str
    html: str
    numbers: Sequence[int]
    is_own: bool

    @property
    def lines(self) -> int:
        """How long the file is."""
        return len(self.text.splitlines())


def code_of(head: RunHead, asked: str) -> RunCode:
    """Return the code of the version asked for, else of that which the run was made for, else of the newest."""
    run = head.run
    used = sorted({*versions_used(run), *filter(None, [head.version])})
    number = int(asked) if asked.isdecimal() and len(asked) < 9 else None
    wanted = number or head.version or (used[-1] if used else None) or head.newest_version
    version = _version(run, wanted)
    text = version.code.source_code if version and version.code else ""
    html = code(text, "python", line_names="L") if text and len(text) <= MOST_COLOURED else ""
    numbers = sorted({*used, *filter(None, [head.newest_version, version.version_number if version else None])})
    file = version.dag.relative_fileloc if version else ""
    return RunCode(version, file, text, html, numbers, bool(version and version.version_number in used))


def _version(run: DagRun, number: int | None) -> DagVersion | None:
    if number is None:
        return None
    rows = DagVersion.objects.filter(dag_id=run.dag_id, version_number=number)
    return rows.select_related("code", "dag").defer("document").first()
