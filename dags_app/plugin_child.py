"""Decides how the server asks code of plugins: in a child without database and keys, which is ended when idle (ADR 0011)."""

from __future__ import annotations

import json
import logging
import os
import select
import subprocess
import sys
import threading
from collections import OrderedDict
from typing import Any

from orchestrator.config import PROJECT_ROOT, conf
from orchestrator.kernel.clock import monotonic

log = logging.getLogger(__name__)

ANSWER_SECONDS = 10.0
IDLE_SECONDS = 20.0
# What comes next may depend on the time of day: such an answer holds for the transaction that it was asked for.
REMEMBERED_SECONDS = 5.0
MOST_REMEMBERED = 512


class PluginCodeError(ValueError):
    """A timetable or mapper of a plugin failed, gave no answer in time, or is not known to any plugin."""


class NoAnswerError(PluginCodeError):
    """The process ended, or gave no answer in time: asking again may help."""


class PluginChild:
    """The process that runs code of plugins, started when it is needed; one question at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._timer: threading.Timer | None = None
        self._remembered: OrderedDict[str, tuple[float, dict[str, Any]]] = OrderedDict()

    def ask(self, request: dict[str, Any]) -> Any:
        """Return the answer, one of a moment ago where it was asked then; raises ``PluginCodeError``.

        ``request`` is described in ``orchestrator.sdk.execution.plugin_child``.
        """
        what = "partition mapper" if "mapper" in request else "timetable"
        name = f"{what} {request[what.split()[-1]].get('type')}"
        line = json.dumps(request, sort_keys=True)
        with self._lock:
            answered_at, found = self._remembered.get(line, (0.0, {}))
            stays = request["ask"] == "facts" and "answer" in found
            if not (found and (stays or monotonic() - answered_at < REMEMBERED_SECONDS)):
                found = self._answer(line, name)
                self._remembered[line] = (monotonic(), found)  # however long it took: it is new now
                while len(self._remembered) > MOST_REMEMBERED:
                    self._remembered.popitem(last=False)
        if "error" in found:
            raise PluginCodeError(f"the {name} failed: {found['error']}")
        return found["answer"]

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _answer(self, line: str, name: str) -> dict[str, Any]:
        process = self._running()
        assert process.stdin is not None and process.stdout is not None  # noqa: S101
        try:
            process.stdin.write(line.encode() + b"\n")
            process.stdin.flush()
            ready, _, _ = select.select([process.stdout], [], [], ANSWER_SECONDS)
            text = process.stdout.readline() if ready else b""
        except OSError as error:
            self._end()
            raise NoAnswerError(f"the {name} ended its process: {error}") from error
        if not text:
            self._end()
            why = "ended its process" if ready else f"gave no answer within {ANSWER_SECONDS:g} s"
            raise NoAnswerError(f"the {name} {why}")
        document: dict[str, Any] = json.loads(text)
        return document

    def _running(self) -> subprocess.Popen[bytes]:
        if self._timer is not None:
            self._timer.cancel()
        if self._process is None or self._process.poll() is not None:
            from dags_app.processor.parse_client import scrubbed_environment
            from dags_app.processor.plugin_reports import example_plugins_folder

            self._remembered.clear()  # plugins may have changed
            plugins = [str(conf.get("core", "plugins_folder")), example_plugins_folder()]
            arguments = [
                *plugins,
                conf.get("core", "dag_ignore_file_syntax"),
                conf.get("core", "dags_folder"),
                conf.home / "config",
            ]
            self._process = subprocess.Popen(
                [sys.executable, "-m", "orchestrator.sdk.execution.plugin_child", *map(str, arguments)],
                env=scrubbed_environment(os.environ),
                cwd=PROJECT_ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
            )
        self._timer = threading.Timer(IDLE_SECONDS, self.close)
        self._timer.daemon = True
        self._timer.start()
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


CHILD = PluginChild()
