"""Decides what the process does that runs timetables and partition mappers of plugins, which the server must not (ADR 0011).

One JSON document per line. To it: a question with ``timetable`` (``timetables.py``) or ``mapper`` (``partition_answers.py``) and
``ask``; from it ``{"answer": ...}`` or ``{"error": text}``. What the authors' code prints goes to stderr.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any


def main(arguments: list[str]) -> None:
    """Load plugins and answer until stdin ends.

    ``arguments`` are the plugins folder, the folder of example plugins (may be empty), the syntax of ignore files, and folders
    for the path.
    """
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    folder, examples, syntax, *paths = arguments
    sys.path += [path for path in [*paths, folder] if path and path not in sys.path]
    from orchestrator.sdk.airflow_names import install
    from orchestrator.sdk.plugins.loading import configure, plugins

    install()
    configure(folder, examples, syntax)
    errors = plugins().errors
    for line in sys.stdin:
        answers.write(json.dumps(answer(json.loads(line), errors)) + "\n")


def answer(request: Mapping[str, Any], errors: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the answer to one request; whatever the author's code raises becomes an ``error``."""
    try:
        return {"answer": _answer(request)}
    except Exception as error:
        broken = "; ".join(f"{source}: {text}" for source, text in (errors or {}).items())
        return {"error": f"{type(error).__name__}: {error}" + (f" (plugins with errors: {broken})" if broken else "")}


def _answer(request: Mapping[str, Any]) -> Any:
    if "mapper" in request:
        from orchestrator.sdk.execution import partition_answers

        return partition_answers.answer(request)
    from orchestrator.sdk.execution import timetables

    return timetables.answer(request)


if __name__ == "__main__":
    main(sys.argv[1:])
