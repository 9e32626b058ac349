"""Decides how runs are named, as Airflow names them."""

from __future__ import annotations

import secrets
import string
from datetime import datetime


def run_id_of(run_type: str, *, run_after: datetime, unique: bool = False) -> str:
    """Return ``<run type>__<ISO run_after>``; ``unique`` adds eight random characters where nothing else tells runs apart."""
    return f"{run_type}__{run_after.isoformat()}" + (f"_{_random_suffix()}" if unique else "")


def _random_suffix() -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(8))
