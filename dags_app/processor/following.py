"""Decides what is known of a watched bundle between two looks, and how a git bundle moves on to a new commit."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from django.db import transaction

from dags_app.bundles.git_tracking import GitTracking
from dags_app.models import Bundle, Dag
from dags_app.processor.bundles import BundleSource
from dags_app.processor.files import KnownFiles
from dags_app.processor.scan import FoundFile, scan

CHUNK = 500


@dataclass(slots=True)
class Watched:
    """A bundle with its row, what is remembered of its files and what the newest scan found."""

    source: BundleSource
    row: Bundle
    known: KnownFiles
    files: dict[str, FoundFile] = field(default_factory=dict)
    is_readable: bool = False
    tracking: GitTracking | None = None
    version: str | None = None
    is_moved: bool = False


def watch(source: BundleSource, row: Bundle) -> Watched:
    """Begin to watch a bundle."""
    tracking = GitTracking(source) if source.git is not None else None
    return Watched(source, row, KnownFiles(row), tracking=tracking)


def follow(watched: Watched, syntax: str, *, wait: bool) -> str | None:
    """Read files of the newest commit from now on; returns why the repository cannot be reached, None where all is well.

    A bundle that is a plain folder has nothing to follow. ``wait`` waits for a fetch that is under way.
    """
    if watched.tracking is None:
        return None
    tracked = watched.tracking.look(wait=wait)
    if tracked.commit is not None and tracked.commit != watched.version:
        folder = watched.tracking.folder_of(tracked.commit)
        watched.source, watched.version = replace(watched.source, path=folder), tracked.commit
        watched.row.version = tracked.commit
        with transaction.atomic():
            watched.row.save(update_fields=["version"])
        watched.is_moved = True
        if tracked.error:  # at a start without the remote: what was fetched before is in use
            watched.files = scan(folder, syntax, tracked.commit).files
    return tracked.error or None


def move_unchanged(watched: Watched, busy: Collection[str], *, versioned: bool) -> None:
    """Let DAGs whose files are the same in the new commit follow it; the others do when they are parsed well.

    :param busy: relative paths of files that wait for a parse or are being parsed.
    :param versioned: False where ``[dag_processor] disable_bundle_versioning`` is on: no DAG has a commit then.
    """
    broken = {known.relative for known in watched.known.by_path.values() if known.has_error}
    same = [relative for relative in watched.files if relative not in broken and relative not in busy]
    with transaction.atomic():
        for start in range(0, len(same), CHUNK):
            rows = Dag.objects.filter(bundle=watched.row, relative_fileloc__in=same[start : start + CHUNK])
            rows.exclude(bundle_version=None).update(bundle_version=watched.version if versioned else None)
    watched.is_moved = False
