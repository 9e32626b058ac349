"""Decides where packages of Airflow that must not meet ours are installed: a virtual environment for each, made once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

LONGEST_SECONDS = 900


def python_with(*packages: str) -> Path:
    """Return the Python of a virtual environment that has the packages; fails where pip gets nothing."""
    name = re.sub(r"[^a-z0-9.]+", "-", packages[0])
    folder = Path(os.environ.get("CONFORMANCE_VENVS") or tempfile.gettempdir()) / f"{name}-{os.getuid()}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        _run([sys.executable, "-m", "venv", str(folder)], packages)
        _run([str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages], packages)
        (folder / "complete").touch()
    return python


def _run(command: list[str], packages: tuple[str, ...]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False)
    if done.returncode:
        said = done.stderr.strip()[-300:]
        pytest.fail(f"cannot install {', '.join(packages)}: {said}. Let pip reach PyPI and run again.")
