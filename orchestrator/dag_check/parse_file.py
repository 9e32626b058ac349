"""Decides what one DAG file gives and does while it is imported; runs in a process of its own that other files do not share.

``python -m orchestrator.dag_check.parse_file FOLDER FILE...`` prints one JSON line per file: ``{"file", "error", "dags", "io"}``.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Any

from orchestrator.config import conf

_SUBPROCESS = "start a program"
#: Audit events that are input or output over a network, a database or a program.
WATCHED = {
    "socket.connect": "connect to the network",
    "socket.getaddrinfo": "look up a host name",
    "sqlite3.connect": "open a database",
    "urllib.Request": "fetch a URL",
    "subprocess.Popen": _SUBPROCESS,
    "os.system": _SUBPROCESS,
}


def main(folder: str, files: list[str]) -> None:
    """Parse each file in a fork, so that none sees what another left behind."""
    from orchestrator.sdk import airflow_names
    from orchestrator.sdk.definitions import dag  # noqa: F401  loaded once, for all forks
    from orchestrator.sdk.parsing import child  # noqa: F401

    airflow_names.install()
    for file in files:
        sys.stdout.flush()
        if not (pid := os.fork()):
            _child(folder, file)
        _, status = os.waitpid(pid, 0)
        if status:
            lost = f"The process that imports the file ended with status {os.waitstatus_to_exitcode(status)}."
            _say({"file": file, "error": lost, "dags": [], "io": []})


def _child(folder: str, file: str) -> None:
    """Parse one file and end this process."""
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the file prints is no answer
    watch = Watch(file)
    sys.addaudithook(watch)
    report = {**_parse(folder, file), "file": file, "io": watch.seen}
    watch.is_open = False
    answer.write(json.dumps(report, default=str) + "\n")
    answer.flush()
    os._exit(0)


def _parse(folder: str, file: str) -> dict[str, Any]:
    from orchestrator.sdk.parsing.child import parse
    from orchestrator.sdk.parsing.protocol import ParseRequest

    request = ParseRequest(id=1, path=file, relative_fileloc=os.path.relpath(file, folder), bundle_path=folder)
    request.plugins_folder, request.ignore_syntax = conf.get("core", "plugins_folder"), conf.get("core", "dag_ignore_file_syntax")
    request.sys_path = [str(conf.home / "config"), request.plugins_folder]
    try:
        response = parse(request)
    except BaseException:
        return {"error": traceback.format_exc(), "dags": []}
    return {"error": response.import_error, "dags": response.dags, "repeated": response.repeated}


class Watch:
    """An audit hook that notes input and output which the file's top level causes."""

    def __init__(self, file: str) -> None:
        self.file = os.path.realpath(file)
        self.seen: list[dict[str, Any]] = []
        self.is_open = True

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.is_open or event not in WATCHED:
            return
        line = self._line_of_author()
        if line is not None:
            target = _target(event, arguments)
            self.seen.append({"what": WATCHED[event], "target": target, "line": line})

    def _line_of_author(self) -> int | None:
        """Return the line of the DAG file that is being executed, None where the file is not in the stack."""
        frame: Any = sys._getframe(2)
        found = None
        while frame is not None:
            if os.path.realpath(frame.f_code.co_filename) == self.file:
                found = frame.f_lineno
            frame = frame.f_back
        return found


def _target(event: str, arguments: tuple[Any, ...]) -> str:
    if event == "socket.connect":
        return str(arguments[1])
    if event == "subprocess.Popen":
        return str(arguments[1] or arguments[0])[:200]
    return str(arguments[0])[:200] if arguments else ""


def _say(report: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(report) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
