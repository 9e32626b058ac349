"""Decides where a person's regular expression matches, without risk for the server: in a process of bounded time and memory.

Python cannot stop an expression that runs, and one such as ``(a+)+$`` may run for ever while it holds all threads; a process
is ended. It gets nothing but the expression and the texts. Few run at once, so that many people do not fill the machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import BoundedSemaphore, Timer
from types import TracebackType
from typing import Any

# Longer than a search may read: what is still not done then is not slow because of the log.
MOST_SECONDS = 3.0
# In each process of the server; whoever comes then waits so many seconds, which is as long as most searches take.
MOST_AT_ONCE = 2
MOST_SECONDS_WAITED = 2.0
_CHILD = Path(__file__).with_name("log_expression_child.py")
_places = BoundedSemaphore(MOST_AT_ONCE)
Span = tuple[int, int]


class ExpressionError(ValueError):
    """It is no expression, it takes too long, or too many are looked for at once; the text says which."""


class Expression:
    """A regular expression, whatever the case of letters; ``^`` and ``$`` are the ends of a line. A context manager."""

    def __init__(self, pattern: str, most_seconds: float = MOST_SECONDS) -> None:
        """Begin its process. Raises ``ExpressionError`` where the pattern is not one, or where too many run."""
        with ExitStack() as stack:
            stack.enter_context(_place())
            self._child = stack.enter_context(_started(most_seconds))
            if refused := self._ask(pattern):
                raise ExpressionError(f"Not a regular expression: {refused}")
            self._stack = stack.pop_all()

    def __enter__(self) -> Expression:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def spans(self, texts: Sequence[str]) -> list[Span | None]:
        """Return where it first matches in each text. Raises ``ExpressionError`` where it takes too long."""
        return [tuple(span) if span else None for span in self._ask(list(texts))]

    def _ask(self, question: Any) -> Any:
        pipes = self._child.stdin, self._child.stdout
        with suppress(OSError, ValueError):
            if pipes[0] is not None and pipes[1] is not None:
                pipes[0].write(json.dumps(question, ensure_ascii=False) + "\n")
                pipes[0].flush()
                return json.loads(pipes[1].readline())
        raise ExpressionError("The regular expression takes too long or too much memory: make it simpler.")


@contextmanager
def _place() -> Iterator[None]:
    """Hold one of the few places. Raises ``ExpressionError`` where none gets free in time."""
    if not _places.acquire(timeout=MOST_SECONDS_WAITED):
        raise ExpressionError("Too many people look for regular expressions just now: try again in a few seconds.")
    try:
        yield
    finally:
        _places.release()


@contextmanager
def _started(most_seconds: float) -> Iterator[subprocess.Popen[str]]:
    """The process, which is ended after some seconds, or when it is not needed any more."""
    command = [sys.executable, "-I", "-S", str(_CHILD)]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    # A log may hold halves of surrogate pairs, which strict UTF-8 cannot carry.
    child = subprocess.Popen(command, encoding="utf-8", errors="surrogatepass", env={}, **pipes)
    end = Timer(most_seconds, child.kill)
    end.daemon = True
    end.start()
    try:
        yield child
    finally:
        end.cancel()
        child.kill()
        for pipe in (child.stdin, child.stdout):
            with suppress(OSError):  # what was still to be written has no reader
                if pipe is not None:
                    pipe.close()
        child.wait()
