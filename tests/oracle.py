"""Decides where the facts recorded from a real Airflow are read from."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent


def oracle_dir() -> Path:
    """Return the directory of the recorded facts: ``ORACLE_DIR``, else ``../shared/oracle`` beside the repository."""
    return Path(os.environ.get("ORACLE_DIR") or REPOSITORY.parent / "shared" / "oracle")


def oracle_file(name: str) -> Path:
    """Return where one recorded file lies. Raises ``FileNotFoundError`` with what to do where it is missing."""
    path = oracle_dir() / name
    if not path.is_file():
        raise FileNotFoundError(f"recorded facts are missing: {path}. Set ORACLE_DIR to the directory that holds {name}.")
    return path


@cache
def oracle_json(name: str) -> Any:
    """Return the content of one recorded file. Raises ``FileNotFoundError`` as ``oracle_file``."""
    return json.loads(oracle_file(name).read_text())
