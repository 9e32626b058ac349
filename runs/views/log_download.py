"""Decides how a whole log leaves the server: the file as it is, or as text; always as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.http import Http404, StreamingHttpResponse

from runs.logs import CHUNK_BYTES, log_records
from runs.models import AttemptFields
from runs.pages.ansi import plain_text

FORMATS = ("txt", "jsonl")


def download(path: Path, attempt: AttemptFields, kind: str) -> StreamingHttpResponse:
    """Answer with the log. Raises ``Http404`` where there is none."""
    if not path.is_file():
        raise Http404(f"Try {attempt.try_number} of {attempt.task_id} has no log file.")
    body, content_type = (_text(path), "text/plain; charset=utf-8") if kind == "txt" else (_bytes(path), "application/x-ndjson")
    response = StreamingHttpResponse(body, content_type=content_type)
    index = f"_{attempt.map_index}" if attempt.map_index >= 0 else ""
    name = f"{attempt.dag_id}_{attempt.task_id}{index}_try{attempt.try_number}.{kind}"
    # Ids of DAGs and tasks have letters, digits, dots, dashes and underscores; of others nothing goes into the header.
    safe = "".join(letter for letter in name if letter.isascii() and (letter.isalnum() or letter in "._-"))
    response["Content-Disposition"] = f'attachment; filename="{safe}"'
    return response


def _bytes(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _text(path: Path) -> Iterator[str]:
    for record, _ in log_records(path):
        yield _line(record)


def _line(record: dict[str, Any]) -> str:
    event = plain_text(str(record.get("event", "")))
    level = str(record.get("level") or "info").upper()
    made = f"[{record['timestamp']}] {level} - {event}\n" if record.get("timestamp") else f"{event}\n"
    for error in record.get("error_detail") or ():
        if isinstance(error, dict):
            frames = (frame for frame in error.get("frames") or () if isinstance(frame, dict))
            made += "".join(f'  File "{f.get("filename")}", line {f.get("lineno")}, in {f.get("name")}\n' for f in frames)
            made += f"{error.get('exc_type')}: {plain_text(str(error.get('exc_value')))}\n"
    return made
