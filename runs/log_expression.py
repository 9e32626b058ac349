"""Decides where a person's regular expression matches, without risk for the server: in a process of bounded time and memory.

Python cannot stop an expression that runs, and one such as ``(a+)+$`` may run for ever while it holds all threads; a process
is ended. It gets nothing but the expression and the texts.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import Any

# Longer than a search may read: what is still not done then is not slow because of the log.
MOST_SECONDS = 3.0
_CHILD = Path(__file__).with_name("log_expression_child.py")
Span = tuple[int, int]


class ExpressionError(ValueError):
    """It is no expression, or it takes too long; the text says which."""


class Expression:
    """A regular expression, whatever the case of letters; ``^`` and ``$`` are the ends of a line. A context manager."""

    def __init__(self, pattern: str, most_seconds: float = MOST_SECONDS) -> None:
        """Begin its process. Raises ``ExpressionError`` where the pattern is not one."""
        self._child = _started()
        self._end = Timer(most_seconds, self._child.kill)
        self._end.daemon = True
        self._end.start()
        try:
            if refused := self._ask(pattern):
                raise ExpressionError(f"Not a regular expression: {refused}")
        except ExpressionError:
            self.__exit__(None, None, None)
            raise

    def __enter__(self) -> Expression:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end.cancel()
        self._child.kill()
        for pipe in (self._child.stdin, self._child.stdout):
            with suppress(OSError):  # what was still to be written has no reader
                if pipe is not None:
                    pipe.close()
        self._child.wait()

    def spans(self, texts: Sequence[str]) -> list[Span | None]:
        """Return where it first matches in each text. Raises ``ExpressionError`` where it takes too long."""
        return [tuple(span) if span else None for span in self._ask(list(texts))]

    def _ask(self, question: Any) -> Any:
        pipes = self._child.stdin, self._child.stdout
        with suppress(OSError, ValueError):
            if pipes[0] is not None and pipes[1] is not None:
                pipes[0].write(json.dumps(question) + "\n")
                pipes[0].flush()
                return json.loads(pipes[1].readline())
        raise ExpressionError("The regular expression takes too long or too much memory: make it simpler.")


def _started() -> subprocess.Popen[str]:
    command = [sys.executable, "-I", "-S", str(_CHILD)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={})
