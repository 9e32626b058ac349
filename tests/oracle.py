"""Decides where the facts recorded from the real Airflow are read."""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ.get("ORACLE_DIR") or Path(__file__).resolve().parents[1].parent / "shared" / "oracle")


@functools.cache
def oracle_json(name: str) -> Any:
    """Return a recorded file; fails with a clear sentence where it is missing."""
    path = FOLDER / name
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: set ORACLE_DIR to the folder with the facts recorded from Airflow")
    return json.loads(path.read_text())
