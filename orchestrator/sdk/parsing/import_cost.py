"""Decides what is said of imports that make a DAG file slow: the line, the module and the seconds (C06-e)."""

from __future__ import annotations

import builtins
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

WORTH_SAYING_SECONDS = 0.2
MOST_LINES = 5


class ImportCost:
    """Times the import statements of one file; imports inside those imports count for them."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.seconds: dict[tuple[int, str], float] = {}
        self._open: tuple[int, str, float] | None = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Time imports while the file runs."""
        original = builtins.__import__

        def timed(name: str, *arguments: Any, **keywords: Any) -> Any:
            frame = sys._getframe(1)
            if frame.f_code.co_filename != self._path or self._open is not None:
                return original(name, *arguments, **keywords)
            line, started = frame.f_lineno, time.monotonic()
            self._open = (line, name, started)
            try:
                return original(name, *arguments, **keywords)
            finally:
                self._open = None
                self.seconds[line, name] = self.seconds.get((line, name), 0.0) + time.monotonic() - started

        builtins.__import__ = timed
        try:
            yield
        finally:
            builtins.__import__ = original

    def lines(self) -> list[str]:
        """Return a sentence per slow import, the slowest first; an import that was broken off counts too."""
        seconds = dict(self.seconds)
        slow = sorted(seconds.items(), key=lambda item: -item[1])[:MOST_LINES]
        return [f"line {line}: `import {name}` takes {cost:.1f} s" for (line, name), cost in slow if cost >= WORTH_SAYING_SECONDS]
