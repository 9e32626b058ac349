"""Decides where a large XCom is kept: as a file of its own in the XCom store, with only its reference in the database.

The task process writes and reads the file, so that neither supervisor nor API server ever holds a large value. A value that
is read back must have the size and the SHA-256 that its reference names.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import uuid
from typing import Any
from urllib.parse import quote

Json = Any

#: The class name of a reference on the wire; no author's value can have it, since a dict with such a key is refused.
MARK = "orchestrator.XComObject"
WRITE_BYTES = 1 << 20
LONGEST_NAME = 120
_FILE = re.compile(r"[0-9a-f]{32}\.json")


class XComObjectError(Exception):
    """A large XCom that cannot be read: its file is gone, or is not what was written."""


def inline_limit() -> int:
    """Return the most bytes of a value that stays in the database."""
    return _conf("xcom_inline_max_bytes", 65536)


def _conf(key: str, default: int, section: str = "core") -> int:
    from orchestrator.sdk.configuration import conf

    return conf.getint(section, key, fallback=default)


def store_path() -> str:
    """Return the store: a folder, or a URL that fsspec knows."""
    from orchestrator.sdk.configuration import conf

    chosen = str(conf.get("core", "xcom_store_path", fallback="") or "")
    home = os.environ.get("AIRFLOW_HOME") or os.path.expanduser("~/airflow")
    return (chosen or os.path.join(home, "xcoms")).removeprefix("file://").rstrip("/")


def run_folder(dag_id: str, run_id: str) -> str:
    """Return the folder of all large XComs of a run, relative to the store."""
    return f"{_name(dag_id)}/{_name(run_id)}"


def folder_of(dag_id: str, run_id: str, task_id: str, map_index: int, key: str) -> str:
    """Return the folder of one XCom's files, relative to the store."""
    return f"{run_folder(dag_id, run_id)}/{_name(task_id)}/{map_index}/{_name(key)}"


def _name(text: str) -> str:
    """Return a safe file name for an id, the same for the same id; a long one ends in a hash."""
    safe = quote(text, safe=" +@:,=")
    safe = safe.replace(".", "%2E") if not safe.strip(".") else safe
    if len(safe) <= LONGEST_NAME:
        return safe
    return f"{safe[: LONGEST_NAME - 17]}~{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def is_within(location: str, folder: str) -> bool:
    """Return whether a location is that of a file directly in the folder, as ``write`` names it."""
    place, _, name = location.rpartition("/")
    return place == folder and _FILE.fullmatch(name) is not None


def write(text: str, folder: str) -> Json:
    """Write the JSON text of a value as a new file in ``folder``; returns the reference that stands for it.

    The file is whole or not there. Raises ``OSError`` where it cannot be written.
    """
    location = f"{folder}/{uuid.uuid4().hex}.json"
    digest, size = hashlib.sha256(), 0
    path = f"{store_path()}/{location}"
    try:
        with _open(path, "wb") as file:
            for start in range(0, len(text), WRITE_BYTES):
                part = text[start : start + WRITE_BYTES].encode()
                file.write(part)
                digest.update(part)
                size += len(part)
    except BaseException:
        remove(location)
        raise
    data = {"location": location, "size": size, "sha256": digest.hexdigest()}
    return {"__classname__": MARK, "__version__": 1, "__data__": data}


def reference_in(document: Json) -> dict[str, Json] | None:
    """Return ``location``, ``size`` and ``sha256`` of a reference, None for any other value."""
    if not isinstance(document, dict) or document.get("__classname__") != MARK:
        return None
    data = document.get("__data__")
    wanted = {"location": str, "size": int, "sha256": str}
    right = isinstance(data, dict) and all(isinstance(data.get(name), kind) for name, kind in wanted.items())
    return data if right else None


def load(document: Json) -> Json:
    """Return the JSON value that a reference stands for; any other document is the value itself.

    Raises ``XComObjectError`` for a file that is gone, cut or changed.
    """
    reference = reference_in(document)
    if reference is None:
        return document
    path = f"{store_path()}/{reference['location']}"
    try:
        with _open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise XComObjectError(
            f"The large XCom in {path} cannot be read ({error}). It was deleted, or this machine does not see the store: "
            "set [core] xcom_store_path to a place that all machines share."
        ) from error
    if len(data) != reference["size"] or hashlib.sha256(data).hexdigest() != reference["sha256"]:
        raise XComObjectError(
            f"The large XCom in {path} has {len(data)} bytes and is not what the task wrote ({reference['size']} bytes, "
            f"SHA-256 {reference['sha256']}); clear the task that returned it."
        )
    return json.loads(data)


def remove(location: str) -> None:
    """Delete one file and the folders that it leaves empty; one that is gone already is no error."""
    path = f"{store_path()}/{location}"
    if "://" in path:
        system, name = _system(path)
        if system.exists(name):
            system.rm_file(name)
        return
    try:
        os.unlink(path)
        folder = os.path.dirname(location)
        while folder:
            os.rmdir(f"{store_path()}/{folder}")
            folder = os.path.dirname(folder)
    except OSError:
        return


def remove_run(dag_id: str, run_id: str | None) -> None:
    """Delete all large XComs of a run, or with None those of all runs of the DAG."""
    path = f"{store_path()}/{_name(dag_id) if run_id is None else run_folder(dag_id, run_id)}"
    if "://" in path:
        system, name = _system(path)
        if system.exists(name):
            system.rm(name, recursive=True)
        return
    import shutil

    shutil.rmtree(path, ignore_errors=True)


def _open(path: str, mode: str) -> Any:
    if "://" in path:
        system, name = _system(path)
        if mode == "wb":
            system.makedirs(name.rpartition("/")[0], exist_ok=True)
        return system.open(name, mode)
    if mode == "wb":
        os.makedirs(os.path.dirname(path), exist_ok=True)
    return open(path, mode)


def _system(path: str) -> tuple[Any, str]:
    from fsspec.core import url_to_fs  # type: ignore[import-untyped,import-not-found,unused-ignore]

    system, name = url_to_fs(path)
    return system, str(name)
