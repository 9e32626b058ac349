"""Decides when a missing file takes its DAGs out of use, and when a bundle counts as unreadable."""

from __future__ import annotations

from datetime import datetime, timedelta

from dags_app.models import Bundle, Dag, ParsedFile, ParseImportError
from dags_app.processor.assets import assets_drop
from dags_app.processor.files import KnownFile
from dags_app.processor.owners import request_reparse_of_clashing
from dags_app.processor.texts import storable
from orchestrator.database import notify_on_commit

MARK_INTERVAL = timedelta(seconds=10)


def bundle_mark_unreadable(bundle: Bundle, reason: str, now: datetime) -> bool:
    """Note that a bundle cannot be read, and since when; returns whether that is news. No DAG changes (I9)."""
    reason = storable(reason)
    is_news = bundle.unreadable_since is None
    bundle.unreadable_since = bundle.unreadable_since or now
    bundle.unreadable_reason = reason
    bundle.save(update_fields=["unreadable_since", "unreadable_reason"])
    # Absence is counted anew once the bundle is back: what was missing before may have been the failing disk.
    ParsedFile.objects.filter(bundle=bundle, missing_since__isnull=False).update(missing_since=None)
    return is_news


def bundle_is_unmarked(bundle: Bundle, now: datetime) -> bool:
    """Tell whether a completed look is worth a write: the bundle was unreadable, or the last note is 10 s old."""
    last = bundle.last_scan_completed_at
    return bundle.unreadable_since is not None or last is None or now - last >= MARK_INTERVAL


def bundle_mark_readable(bundle: Bundle, now: datetime) -> None:
    """Note a completed look at a bundle."""
    bundle.last_scan_completed_at = bundle.last_refreshed_at = now
    bundle.unreadable_since, bundle.unreadable_reason = None, ""
    bundle.save(update_fields=["last_scan_completed_at", "last_refreshed_at", "unreadable_since", "unreadable_reason"])


def files_mark_here(bundle: Bundle, files: list[KnownFile]) -> None:
    """Forget that files were missing."""
    for known in files:
        known.missing_since = None
    if files:
        names = [known.relative for known in files]
        ParsedFile.objects.filter(bundle=bundle, relative_fileloc__in=names).update(missing_since=None)


def files_mark_gone(bundle: Bundle, files: list[KnownFile], now: datetime, waits: timedelta) -> list[str]:
    """Note files that a completed look did not find; returns those that are gone for good.

    Two looks at least ``waits`` apart must miss a file before its DAGs become stale (C06-b).
    """
    gone = []
    for known in files:
        if known.missing_since is None:
            known.missing_since = now
            ParsedFile.objects.filter(bundle=bundle, relative_fileloc=known.relative).update(missing_since=now)
        if now - known.missing_since >= waits and (now > known.missing_since or not waits):
            _remove(bundle, known.relative, now)
            gone.append(known.relative)
    return gone


def _remove(bundle: Bundle, relative: str, now: datetime) -> None:
    dags = Dag.objects.active().filter(bundle=bundle, relative_fileloc=relative)
    dag_ids = list(dags.values_list("dag_id", flat=True))
    Dag.objects.filter(dag_id__in=dag_ids).update(is_stale=True)
    ParseImportError.objects.filter(bundle=bundle, filename=relative).delete()
    ParsedFile.objects.filter(bundle=bundle, relative_fileloc=relative).delete()
    request_reparse_of_clashing(dag_ids, now)
    if dag_ids:
        assets_drop(dag_ids)
        notify_on_commit("scheduler")
