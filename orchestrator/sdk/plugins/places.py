"""Decides where plugins are looked for: files of the plugins folder, entry points of installed packages; runs no user code."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.sdk.parsing.ignore import FILE_NAME, IgnoreRules

PLUGIN_GROUP = "airflow.plugins"
POLICY_GROUP = "airflow.policy"
LOCAL_SETTINGS = "airflow_local_settings"
_SKIPPED = frozenset({"__pycache__", ".git"})


def plugin_files(folder: str, syntax: str = "glob") -> list[str]:
    """Return the Python files below the plugins folder, sorted; ``.airflowignore`` files leave some out.

    :param syntax: ``[core] dag_ignore_file_syntax``: ``glob`` or ``regexp``.
    """
    if not folder or not os.path.isdir(folder):
        return []
    return list(_walk(folder, IgnoreRules(syntax)))


def _walk(folder: str, rules: IgnoreRules) -> Iterator[str]:
    entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    if any(entry.name == FILE_NAME for entry in entries):
        rules = rules.inside(folder, Path(folder, FILE_NAME).read_text(encoding="utf-8", errors="replace"))
    for entry in entries:
        is_folder = entry.is_dir()
        if rules.ignores(entry.path, is_folder):
            continue
        if is_folder and entry.name not in _SKIPPED:
            yield from _walk(entry.path, rules)
        elif entry.name.endswith(".py") and entry.is_file():
            yield entry.path


def has_entry_points(group: str) -> bool:
    """Tell whether an installed package has an entry point of the group, by a look at the text of their files only.

    The library that reads entry points costs more memory and time than all else here; most installations have none.
    """
    wanted = f"[{group}]".encode()
    return any(wanted in text for text in _entry_point_texts())


def entry_points(group: str) -> list[Any]:
    """Return the entry points of a group (``importlib.metadata``), each with its distribution; empty where there are none."""
    if not has_entry_points(group):
        return []
    from importlib import metadata

    return sorted(metadata.entry_points(group=group), key=lambda point: (point.name, point.value))


def _entry_point_texts() -> Iterator[bytes]:
    for folder in dict.fromkeys(sys.path):
        try:
            names = [entry.path for entry in os.scandir(folder or ".") if entry.name.endswith((".dist-info", ".egg-info"))]
        except OSError:
            continue
        for name in names:
            try:
                yield Path(name, "entry_points.txt").read_bytes()
            except OSError:
                continue


def fingerprint(plugins_folder: str, config_folder: str, syntax: str = "glob") -> str:
    """Return a text that changes when a plugin or the cluster policies change; empty where there are none.

    It is cheap enough for every look: names, times and sizes of the files. Installed packages need a restart.
    """
    files = plugin_files(plugins_folder, syntax)
    local = os.path.join(config_folder, f"{LOCAL_SETTINGS}.py") if config_folder else ""
    if local and os.path.isfile(local):
        files.append(local)
    if not files:
        return ""
    digest = hashlib.sha256()
    for path in files:
        try:
            status = os.stat(path)
        except OSError:
            continue
        digest.update(f"{path}\0{status.st_mtime_ns}\0{status.st_size}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:16]
