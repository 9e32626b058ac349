"""Decides which ids and parts a connection may have, the same on every database; Airflow's ids, in files and in forms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from orchestrator.config import conf

LONGEST_ID, LONGEST_TEXT = 200, 500
SMALLEST_PORT, LARGEST_PORT = -(2**31), 2**31 - 1

_ID = re.compile(rf"[\w.-]{{1,{LONGEST_ID}}}")
_SHORT = ("conn_type", "host", "schema")
_TEXTS = (*_SHORT, "description", "login", "password", "extra")


def id_problem(conn_id: str) -> str:
    """Return what is wrong with the id of a new connection, as the end of a sentence about it; "" where nothing is."""
    if not _ID.fullmatch(conn_id):
        return f"must be 1 to {LONGEST_ID} letters, digits, '_', '-' and '.'"
    if ".." in conn_id and not conf.get("core", "allow_double_dot_in_ids"):
        return "must have no two dots side by side, unless [core] allow_double_dot_in_ids is set"
    return ""


def part_problem(parts: Mapping[str, Any]) -> str:
    """Return what is wrong with the first part that no column could keep, such as "a host of more than …"; "" where none is."""
    for name in _TEXTS:
        if why := _text_problem(name, parts.get(name)):
            return f"a {name} {why}"
    port = parts.get("port")
    if port is not None and not SMALLEST_PORT <= port <= LARGEST_PORT:
        return f"a port outside of {SMALLEST_PORT} to {LARGEST_PORT}"
    return ""


def _text_problem(name: str, value: Any) -> str:
    if isinstance(value, list | dict):
        return "that is no text"
    text = str(value or "")
    if name in _SHORT and len(text) > LONGEST_TEXT:
        return f"of more than {LONGEST_TEXT} characters"
    # What is encrypted may hold it.
    return "with a NUL character, which no database keeps" if "\x00" in text and name not in ("password", "extra") else ""
