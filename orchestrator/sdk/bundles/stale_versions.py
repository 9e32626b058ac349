"""Decides which folders of old commits are removed: unused for long, not among the newest, and not the tracked one."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from orchestrator.sdk.bundles.git_repository import GitRepository, remove
from orchestrator.sdk.bundles.locking import if_unused


@dataclass(frozen=True, slots=True)
class Keep:
    """``[dag_processor] stale_bundle_cleanup_age_threshold`` in seconds and ``stale_bundle_cleanup_min_versions``."""

    age_seconds: float
    min_versions: int


def remove_stale(repository: GitRepository, keep: Keep, now: float | None = None) -> list[str]:
    """Remove what is stale and return the commits. A version that any process uses stays, whatever its age.

    :param now: seconds since the epoch; default the clock of the files' times.
    """
    now = time.time() if now is None else now
    removed = []
    for version in _oldest_first(repository)[: -keep.min_versions or None]:
        lock = repository.use_lock(version)
        if version == repository.current() or now - _used_at(lock) < keep.age_seconds:
            continue
        with if_unused(lock) as is_unused:
            if is_unused:
                trash = repository.versions / f".unfinished-trash-{version}-{os.getpid()}"
                os.rename(repository.versions / version, trash)
                remove(trash)
                removed.append(version)
    return removed


def _oldest_first(repository: GitRepository) -> list[str]:
    if not repository.versions.is_dir():
        return []
    names = [entry.name for entry in os.scandir(repository.versions) if entry.is_dir() and not entry.name.startswith(".")]
    return sorted(names, key=lambda name: (_used_at(repository.use_lock(name)), name))


def _used_at(lock: Path) -> float:
    try:
        return lock.stat().st_mtime
    except OSError:
        return 0.0
