"""Decides how the stream of all parts is kept on the disk: one file that begins anew at a size, with a few older ones (C18-e).

Older files also go by their age, like all logs (``[retention] logs_days``).
"""

from __future__ import annotations

import os
from pathlib import Path


class RotatingFile:
    """Appends lines to ``path``; at ``most_bytes`` it becomes ``path.1``, that one ``path.2`` and so on up to ``older``.

    The file is open only while a line is written, so that no part inherits it. A disk that takes nothing loses lines and
    stops nobody.
    """

    def __init__(self, path: Path, most_bytes: int, older: int) -> None:
        self.path, self._most_bytes, self._older = path, most_bytes, older
        self._is_ready = False

    def write(self, line: str) -> None:
        """Append one line, given without its end."""
        data = line.encode(errors="replace") + b"\n"
        try:
            if not self._is_ready:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._is_ready = True
            with self.path.open("ab") as file:
                is_full = file.tell() and file.tell() + len(data) > self._most_bytes
                if not is_full:
                    file.write(data)
            if is_full:
                self._rotate()
                self.path.write_bytes(data)
        except OSError:
            self._is_ready = False

    def _rotate(self) -> None:
        for number in range(self._older, 0, -1):
            younger = self._numbered(number - 1)
            if younger.exists():
                os.replace(younger, self._numbered(number))

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}") if number else self.path
