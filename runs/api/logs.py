"""Decides the REST operation that reads the log of one try."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core import signing
from django.http import StreamingHttpResponse

from orchestrator.rest import scalars
from orchestrator.rest.answers import encode
from orchestrator.rest.errors import NotFoundError, RestError
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.params import Param, params
from runs.logs import LogPathError, log_file, log_read, log_source
from runs.models import AttemptFields
from runs.states import FINISHED
from runs.tries import try_of

operations = Operations("Task Instance")

JSON, NDJSON, ANY = "application/json", "application/x-ndjson", "*/*"
_SALT = "task-log"
_PARAMS = params(Param("full_content", scalars.switch, False), Param("map_index", scalars.integer, -1), Param("token"))
_PATH = "/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}"


@operations.add("GET", _PATH + "/logs/{try_number}", "get_log", params=_PARAMS, types={"try_number": scalars.at_least(0)})
def get_log(call: Call) -> StreamingHttpResponse:
    """Return the log as one JSON object or as one record per line; the file is streamed, never loaded."""
    accept = _accepted(call.request.headers.get("Accept", ANY))
    path = call.path
    attempt = try_of(path["dag_id"], path["dag_run_id"], path["task_id"], call.query["map_index"], path["try_number"])
    if attempt is None:
        raise NotFoundError("TaskInstance not found")
    position = _position(call.query["token"], call.query["full_content"])
    body = _ndjson if accept == NDJSON else _json
    return StreamingHttpResponse(body(_file(attempt), position, attempt), content_type=accept)


@operations.add(
    "GET",
    _PATH + "/externalLogUrl/{try_number}",
    "get_external_log_url",
    params=params(Param("map_index", scalars.integer, -1)),
    types={"try_number": scalars.at_least(1)},
)
def get_external_log_url(call: Call) -> None:
    """Refuse: logs are kept here and not by another system."""
    raise RestError(400, "Task log handler does not support external logs.")


def _json(path: Path, position: int, attempt: AttemptFields) -> Iterator[bytes]:
    yield b'{"content":['
    comma = b""
    for records, after in _batches(path, position, attempt):
        position = after
        for record in records:
            yield comma + encode(record)
            comma = b","
    yield b'],"continuation_token":' + json.dumps(_token(position, attempt)).encode() + b"}"


def _ndjson(path: Path, position: int, attempt: AttemptFields) -> Iterator[bytes]:
    for records, _ in _batches(path, position, attempt):
        yield b"".join(encode(record) + b"\n" for record in records)


def _batches(path: Path, position: int, attempt: AttemptFields) -> Iterator[tuple[list[dict[str, Any]], int]]:
    if position == 0:
        yield log_source(path, path.is_file(), attempt.end_date), 0
    limit = log_read(path, position, max_bytes=1).size
    # What a running task writes meanwhile is left for the next request, so that the answer ends.
    while position < limit:
        found = log_read(path, position)
        if found.position == position:
            return
        position = found.position
        yield found.records, position


def _token(position: int, attempt: AttemptFields) -> str | None:
    """A finished try has nothing more to come."""
    if attempt.state in FINISHED or attempt.end_date is not None:
        return None
    return signing.dumps({"position": position}, salt=_SALT)


def _position(token: str | None, full_content: bool) -> int:
    if not token or full_content:
        return 0
    try:
        return int(signing.loads(token, salt=_SALT)["position"])
    except (signing.BadSignature, KeyError, TypeError, ValueError) as error:
        raise RestError(400, "Bad Signature. Please use only the tokens provided by the API.") from error


def _accepted(header: str) -> str:
    kind = header.split(",")[0].partition(";")[0].strip().lower()
    if kind not in (JSON, NDJSON, ANY):
        raise RestError(406, f"Only {JSON} or {NDJSON} is supported")
    return NDJSON if kind == NDJSON else JSON


def _file(attempt: AttemptFields) -> Path:
    try:
        return log_file(attempt)
    except LogPathError as error:
        raise NotFoundError(str(error)) from error
