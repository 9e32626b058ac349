"""Decides under which name and from which bytes a DAG file becomes a module."""

from __future__ import annotations

import hashlib
import importlib.machinery
import importlib.util
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, ModuleType

SAFE_MODE_WORDS = (b"airflow", b"orchestrator")


class ExactLoader(importlib.machinery.SourceFileLoader):
    """Imports exactly the given bytes: a file saved meanwhile or a stale ``.pyc`` cannot slip in."""

    def __init__(self, name: str, path: str, source: bytes) -> None:
        super().__init__(name, path)
        self.source_bytes = source

    def get_code(self, fullname: str) -> CodeType:
        """Compile the bytes."""
        return self.source_to_code(self.source_bytes, self.path)


def module_name(path: str) -> str:
    """Return the name for the module of a DAG file, the same that Airflow gives: pickles and callbacks refer to it."""
    digest = hashlib.sha1(path.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()
    return f"unusual_prefix_{digest}_{Path(path).stem}"


def import_file(path: str, source: bytes | None = None) -> ModuleType:
    """Import a DAG file as a fresh module; raises whatever the file raises."""
    source = Path(path).read_bytes() if source is None else source
    name = module_name(path)
    loader = ExactLoader(name, path, source)
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    if spec is None:
        raise ImportError(f"{path} cannot be imported as a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def import_zip(path: str) -> Iterator[ModuleType]:
    """Import each top-level module of a zip file that looks like a DAG file."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".py") and "/" not in name and name != "__init__.py"]
        wanted = [Path(name).stem for name in names if looks_like_dag_file(archive.read(name))]
    sys.path.insert(0, path)
    for name in wanted:
        sys.modules.pop(name, None)
        yield importlib.import_module(name)


def looks_like_dag_file(source: bytes) -> bool:
    """Tell whether a text has both the word "dag" and the name of the platform, in any case (safe mode)."""
    text = source.lower()
    return b"dag" in text and any(word in text for word in SAFE_MODE_WORDS)
