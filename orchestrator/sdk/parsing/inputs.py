"""Decides which files of the bundle a DAG file depends on: what it imports and what it reads while it is parsed."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

MOST_FILES = 2000
DATA_SUFFIXES = (".json", ".yaml", ".yml", ".csv", ".txt", ".toml", ".ini", ".sql", ".xml", ".parquet")
_LIBRARIES = tuple({sys.prefix, sys.base_prefix, str(Path(__file__).parents[3]), "/usr", "/proc", "/etc"})


class Inputs:
    """Notes every file of a folder that this process opens for reading; made once per parse process."""

    def __init__(self, bundle_path: str, dag_file: str) -> None:
        self._root = os.path.realpath(bundle_path) + os.sep
        self._roots = (self._root, os.path.abspath(bundle_path) + os.sep)
        self._dag_file = os.path.realpath(dag_file)
        self._opened: set[str] = set()
        self._asked_outside = False

    @property
    def reads_outside(self) -> bool:
        """Tell whether the file asked the network, another program or a data file elsewhere: it may differ without a change."""
        files = (
            path for path in self._opened if path.endswith(DATA_SUFFIXES) and not path.startswith((*self._roots, *_LIBRARIES))
        )
        return self._asked_outside or any(files)

    def watch(self) -> None:
        """Start noting; an audit hook stays for the life of the process."""
        sys.addaudithook(self._on_event)

    def hashes(self) -> dict[str, str]:
        """Return path relative to the folder and SHA-256 of each file, sorted; a vanished file has an empty hash."""
        # The cheap look at the name comes first: most modules are those of libraries.
        files = {os.path.realpath(path) for path in self._opened | _imported() if path.startswith(self._roots)}
        wanted = sorted(path for path in files if path.startswith(self._root) and self._counts(path))
        return {path[len(self._root) :]: file_hash(path) for path in wanted[:MOST_FILES]}

    def _on_event(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("socket.connect", "subprocess.Popen"):
            self._asked_outside = True
        elif event == "open" and isinstance(arguments[0], str) and _is_reading(arguments[1], arguments[2]):
            self._opened.add(os.path.abspath(arguments[0]))

    def _counts(self, path: str) -> bool:
        return path != self._dag_file and "__pycache__" not in path and "site-packages" not in path and os.path.isfile(path)


def file_hash(path: str) -> str:
    """Return the SHA-256 of a file, or empty where it cannot be read."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return ""


def _is_reading(mode: Any, flags: Any) -> bool:
    if isinstance(mode, str):
        return "r" in mode and "+" not in mode
    return isinstance(flags, int) and flags & os.O_ACCMODE == os.O_RDONLY


def _imported() -> set[str]:
    """Modules of the parent were imported before the watch began."""
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return {file for file in files if isinstance(file, str) and file.endswith(".py")}
