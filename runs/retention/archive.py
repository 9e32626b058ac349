"""Decides how deleted rows are kept: as JSON lines in files below the home, one per table and cleaning (C18-d)."""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TextIO

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet

from orchestrator.config import conf

PREFIX = "_airflow_deleted__"


class Archive:
    """Appends rows to ``<home>/archive/_airflow_deleted__<table>__<time>.jsonl``; a file is made with its first row."""

    def __init__(self, now: datetime) -> None:
        self._stamp = now.strftime("%Y%m%d%H%M%S")
        self._files: dict[str, TextIO] = {}

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for file in self._files.values():
            file.close()

    def write(self, table: str, rows: QuerySet) -> None:  # type: ignore[type-arg]
        """Keep the rows; they are on the disk when this returns, before they are deleted."""
        file = self._files.get(table)
        if file is None:
            folder = archive_folder()
            folder.mkdir(parents=True, exist_ok=True)
            file = self._files[table] = (folder / f"{PREFIX}{table}__{self._stamp}.jsonl").open("a", encoding="utf-8")
        file.writelines(json_lines(rows))
        file.flush()


def json_lines(rows: QuerySet) -> Iterator[str]:  # type: ignore[type-arg]
    """Yield each row with all its columns as a line of JSON."""
    for row in rows.values().iterator(chunk_size=500):
        yield json.dumps(row, cls=DjangoJSONEncoder) + "\n"


def archive_folder() -> Path:
    """Return where archives lie."""
    return Path(conf.home) / "archive"


def archives(tables: Collection[str] | None = None) -> Iterator[Path]:
    """Yield the archives of these tables, or of all, the oldest first."""
    found = sorted(archive_folder().glob(f"{PREFIX}*.jsonl"), key=lambda path: path.stem.rpartition("__")[2])
    for path in found:
        if tables is None or path.stem.removeprefix(PREFIX).rpartition("__")[0] in tables:
            yield path


def export_csv(path: Path, folder: Path) -> Path:
    """Write an archive as CSV into a folder; a row at a time."""
    target = folder / f"{path.stem}.csv"
    with path.open(encoding="utf-8") as lines, target.open("w", newline="", encoding="utf-8") as out:
        writer = None
        for line in lines:
            row = json.loads(line)
            if writer is None:
                writer = csv.DictWriter(out, fieldnames=list(row))
                writer.writeheader()
            writer.writerow(row)
    return target
