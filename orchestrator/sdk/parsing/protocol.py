"""Decides what the DAG processor and the parse zygote say to each other: one JSON document per line."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

Json = Any

LIMIT_MARK = b"#limit "  # a line before the answer: the file has another time limit, in seconds
TIMEOUT_OPTION = "[core] dagbag_import_timeout"
LONGEST_RESPONSE_BYTES = 64 * 1024 * 1024
LONGEST_LOG_BYTES = 10 * 1024 * 1024


@dataclass(slots=True)
class ParseRequest:
    """One file to parse. ``timeout_seconds`` 0 means no limit; ``traceback_depth`` 0 shows every call.

    ``kind`` ``plugins`` asks for a description of the plugins instead, ``events`` has listeners called with ``events``
    (``{"hook", "arguments"}``); both have no file.
    """

    id: int
    path: str
    relative_fileloc: str
    bundle_path: str
    bundle_name: str = "dags-folder"
    timeout_seconds: float = 30.0
    traceback_depth: int = 0
    log_path: str = ""
    sys_path: list[str] = field(default_factory=list)
    plugins_folder: str = ""
    examples_folder: str = ""
    ignore_syntax: str = "glob"
    kind: str = "file"
    events: list[dict[str, Json]] = field(default_factory=list)

    def line(self) -> bytes:
        """Return the request as it goes over the wire."""
        return json.dumps(asdict(self)).encode() + b"\n"


@dataclass(slots=True)
class ParseResponse:
    """What a file gave.

    ``dags`` are serialized DAGs (``spec.to_json``). ``import_error`` is a text for people, empty where all went well; DAGs
    and an error can come together when only some DAGs of the file are wrong. ``modules`` maps each file of the bundle that was
    imported or read on the way (path relative to the bundle) to the SHA-256 of its content. ``repeated`` are the DAG ids that
    the file defines more than once.
    """

    id: int
    dags: list[dict[str, Json]] = field(default_factory=list)
    import_error: str = ""
    warnings: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    modules: dict[str, str] = field(default_factory=dict)
    content_hash: str = ""
    source: str = ""
    seconds: float = 0.0
    plugins: dict[str, Json] | None = None
    reads_outside: bool = False

    @property
    def timed_out(self) -> bool:
        """Whether the file was given up because it took too long: the first line of the error names the limit."""
        return TIMEOUT_OPTION in self.import_error.partition("\n")[0]

    def line(self) -> bytes:
        """Return the response as it goes over the wire."""
        return json.dumps(asdict(self), default=str).encode() + b"\n"


def read_request(line: bytes) -> ParseRequest:
    """Read a request; raises ``ValueError``/``TypeError`` on one that is not ours."""
    return ParseRequest(**json.loads(line))


def read_response(line: bytes) -> ParseResponse:
    """Read a response; raises ``ValueError``/``TypeError`` on one that is not ours."""
    return ParseResponse(**json.loads(line))
