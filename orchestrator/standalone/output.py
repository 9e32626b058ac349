"""Decides how the output of all parts becomes one stream: a prefix per line, in colour on a terminal."""

import os
import sys
from typing import TextIO

from orchestrator.standalone.log_file import RotatingFile

COLOURS = {
    "standalone": "1",
    "api_server": "36",
    "execution_api": "34",
    "scheduler": "35",
    "dag_processor": "33",
    "triggerer": "32",
}
LONGEST_LINE_BYTES = 64 * 1024
READ_BYTES = 64 * 1024
WIDTH = max(len(name) for name in COLOURS)


def is_coloured(stream: TextIO, wanted: bool = True) -> bool:
    """``NO_COLOR`` and ``FORCE_COLOR`` decide; else a terminal is coloured where ``wanted``."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return wanted and stream.isatty()


class Output:
    """Writes whole lines of several parts to one stream, and without colours to ``file``."""

    def __init__(self, stream: TextIO | None = None, coloured: bool | None = None, file: RotatingFile | None = None) -> None:
        self.stream = stream or sys.stdout
        self._file = file
        self._coloured = is_coloured(self.stream) if coloured is None else coloured
        self.is_broken = False

    def line(self, name: str, text: str) -> None:
        """Write one line of part ``name``; a reader that went away is remembered, not raised."""
        prefix = f"{name:<{WIDTH}} |"
        if self._file is not None:
            self._file.write(f"{prefix} {text}")
        if self._coloured:
            prefix = f"\x1b[{COLOURS.get(name, '0')}m{prefix}\x1b[0m"
        if self.is_broken:
            return
        try:
            self.stream.write(f"{prefix} {text}\n")
            self.stream.flush()
        except (BrokenPipeError, ValueError):
            self.is_broken = True


class PartReader:
    """Cuts what arrives from one part's pipe into lines."""

    def __init__(self, fd: int, name: str, output: Output) -> None:
        self.fd = fd
        self.name = name
        self._output = output
        self._rest = b""
        os.set_blocking(fd, False)

    def read(self) -> bool:
        """Write all complete lines that are there; False at the end of the pipe."""
        while True:
            try:
                chunk = os.read(self.fd, READ_BYTES)
            except BlockingIOError:
                return True
            if not chunk:
                self._flush()
                os.close(self.fd)
                return False
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            for line in lines:
                self._write(line)
            if len(self._rest) > LONGEST_LINE_BYTES:
                self._flush()

    def _flush(self) -> None:
        if self._rest:
            self._write(self._rest)
        self._rest = b""

    def _write(self, line: bytes) -> None:
        self._output.line(self.name, line.decode(errors="replace").rstrip("\r"))
