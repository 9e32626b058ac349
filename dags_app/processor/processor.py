"""Decides what is parsed when: the queue of changed files, the files in flight, and what a scan concludes."""

from __future__ import annotations

import logging
from collections import OrderedDict
from datetime import datetime, timedelta
from pathlib import Path

from django.db import InterfaceError, OperationalError, transaction

from dags_app.models import Bundle, ParsedFile
from dags_app.processor.bundles import BundleSource
from dags_app.processor.dag_warnings import warnings_recheck_pools
from dags_app.processor.files import KnownFile, content_hash
from dags_app.processor.following import Watched, follow, move_unchanged, watch
from dags_app.processor.gone import (
    bundle_is_unmarked,
    bundle_mark_readable,
    bundle_mark_unreadable,
    files_mark_gone,
    files_mark_here,
)
from dags_app.processor.lanes import Lanes
from dags_app.processor.measures import count_answer, count_look, count_start
from dags_app.processor.parse_client import ParseClient
from dags_app.processor.plugin_reports import PluginReports
from dags_app.processor.scan import BundleUnreadableError, FoundFile, Scan, scan
from dags_app.processor.settings import Settings
from dags_app.processor.store import Parsed, store_parsed
from dags_app.processor.texts import storable
from orchestrator.kernel.backoff import delay
from orchestrator.kernel.clock import monotonic, utcnow
from orchestrator.sdk.parsing.importing import looks_like_dag_file
from orchestrator.sdk.parsing.protocol import ParseRequest, ParseResponse

log = logging.getLogger(__name__)

RECHECK_SECONDS = 10.0

Key = tuple[str, str]  # bundle name, relative path


class Processor:
    """The state of a DAG processor between rounds; the database has all that must survive it."""

    def __init__(self, bundles: list[tuple[BundleSource, Bundle]], settings: Settings, client: ParseClient) -> None:
        self.bundles = {source.name: watch(source, row) for source, row in bundles}
        self.plugins = PluginReports(settings.plugins_folder, settings.examples_folder, settings.config_folder, settings.syntax)
        self.settings = settings
        self.client = client
        self.lanes = Lanes(settings.processes)
        self.queue: OrderedDict[Key, datetime] = OrderedDict()
        self.in_flight: dict[int, tuple[Key, FoundFile, datetime]] = {}
        self.unsettled: dict[Key, dict[str, str]] = {}
        self.failures: dict[Key, tuple[int, float]] = {}
        self.parsed_files = 0
        self._recheck_at = 0.0

    @property
    def is_busy(self) -> bool:
        """True while files wait or are being parsed."""
        return bool(self.queue or self.in_flight or self.plugins.is_busy or self.plugins.is_telling)

    def look(self, now: datetime | None = None, *, wait: bool = False) -> int:
        """Scan every bundle, queue what changed, act on what is gone; returns how many files were queued.

        ``wait`` waits for fetches of repositories.

        A bundle that cannot be read keeps everything it had, and leaves the other bundles alone.
        """
        now = now or utcnow()
        queued = 0
        self.plugins.look(self._request)
        self._recheck_warnings()
        for watched in self.bundles.values():
            try:
                queued += self._look_at(watched, now, wait)
            except Exception as error:
                log.exception("Bundle %s: the scan failed", watched.source.name)
                self._unreadable(watched, f"{type(error).__name__}: {error}", now)
        if queued:
            count_look()
        return queued

    def _recheck_warnings(self) -> None:
        if monotonic() >= self._recheck_at:
            self._recheck_at = monotonic() + RECHECK_SECONDS
            warnings_recheck_pools()

    def submit(self) -> int:
        """Hand waiting files to parse processes, as many at once as allowed; returns how many."""
        started = 0
        if self.plugins.is_busy:
            return 0  # what plugins bring is known before the DAGs that use it
        while (key := self.lanes.next_of(self.queue, self._last_seconds)) is not None:
            started += self._submit(key, self.queue.pop(key))
        return started

    def take(self) -> int:
        """Store the responses that have arrived; returns how many. One that cannot be stored leaves the others alone."""
        responses = self.client.collect()
        for response in responses:
            if self.plugins.take(response):
                continue
            self.lanes.ended(response.id)
            key, found, queued_at = self.in_flight.pop(response.id)
            count_answer(key[1], response)
            try:
                self._store(key, found, queued_at, response)
                self.failures.pop(key, None)
            except (OperationalError, InterfaceError) as error:
                self._back_off(key)
                log.warning("%s could not be stored and is parsed again later: %s", found.path, error)
            except Exception as error:
                self._store_refusal(key, found, queued_at, response, error)
        return len(responses)

    def is_present(self, bundle_name: str, relative: str) -> bool:
        """Whether a file was there at the newest look; in a bundle that cannot be read every file counts as there."""
        watched = self.bundles.get(bundle_name)
        if watched is None:
            return False
        return not watched.is_readable or relative in watched.files

    def _look_at(self, watched: Watched, now: datetime, wait: bool) -> int:
        if (error := follow(watched, self.settings.syntax, wait=wait)) is not None:
            self._unreadable(watched, error, now)
            return self._queue_requested(watched, now)
        if watched.tracking is not None and watched.version is None:
            return 0  # the first fetch is under way
        try:
            found = scan(watched.source.path, self.settings.syntax, watched.version if self.settings.versioned else None)
        except BundleUnreadableError as error:
            if watched.known.by_path or watched.source.path.is_dir() is False:
                self._unreadable(watched, str(error), now)
            else:
                watched.files, watched.is_readable = {}, True
            return 0
        return self._apply_scan(watched, found, now)

    def _apply_scan(self, watched: Watched, found: Scan, now: datetime) -> int:
        for complaint in found.complaints:
            log.warning("%s", complaint)
        watched.files, watched.is_readable = found.files, True
        gone = watched.known.absent(found.files)
        back = [known for known in watched.known.by_path.values() if known.missing_since and known.relative in found.files]
        # Most looks find nothing: they must not take SQLite's one write lock every second.
        if gone or back or bundle_is_unmarked(watched.row, now):
            with transaction.atomic():
                self._write_scan(watched, gone, back, now)
        queued = self._queue_changed(watched, now) + self._queue_requested(watched, now)
        if watched.is_moved:
            busy = {key[1] for key in self.queue} | {key[1] for key, _, _ in self.in_flight.values()}
            move_unchanged(watched, busy, versioned=self.settings.versioned)
        return queued

    def _write_scan(self, watched: Watched, gone: list[KnownFile], back: list[KnownFile], now: datetime) -> None:
        bundle_mark_readable(watched.row, now)
        files_mark_here(watched.row, back)
        waits = timedelta(seconds=self.settings.stale_after_seconds)
        for relative in files_mark_gone(watched.row, gone, now, waits):
            watched.known.forget(relative)

    def _queue_changed(self, watched: Watched, now: datetime) -> int:
        busy = {key for key, _, _ in self.in_flight.values()} | self._backed_off()
        count = 0
        for relative, found in sorted(watched.files.items()):
            key = (watched.source.name, relative)
            if key in busy or key in self.queue:
                continue
            known = watched.known.get(relative)
            if known is None or known.is_due(now) or known.needs_parsing(found, watched.source.path):
                self.queue[key] = now
                count += 1
        return count

    def _queue_requested(self, watched: Watched, now: datetime) -> int:
        rows = ParsedFile.objects.filter(bundle=watched.row, reparse_requested_at__isnull=False)
        wanted = [(watched.source.name, relative) for relative in rows.values_list("relative_fileloc", flat=True)]
        fresh = [key for key in wanted if key[1] in watched.files and key not in self.queue]
        for key in fresh:
            self.queue[key] = now
            self.queue.move_to_end(key, last=False)  # somebody waits for it
        return len(fresh)

    def _submit(self, key: Key, queued_at: datetime) -> int:
        watched = self.bundles[key[0]]
        found = watched.files.get(key[1])
        if found is None:
            return 0
        if self.settings.safe_mode and not _may_hold_dags(found.path):
            self._store(key, found, queued_at, ParseResponse(id=0, content_hash=content_hash(found.path)))
            return 1
        request = ParseRequest(
            id=0,
            path=found.path,
            relative_fileloc=found.relative,
            bundle_path=str(watched.source.path),
            bundle_name=watched.source.name,
            timeout_seconds=self.settings.timeout_seconds,
            traceback_depth=self.settings.traceback_depth,
            log_path=self._log_path(watched.source.name, found.relative),
        )
        number = self._request(request)
        self.in_flight[number] = (key, found, queued_at)
        count_start(key[1])
        self.lanes.started(number, self._last_seconds(key))
        return 1

    def _last_seconds(self, key: Key) -> float:
        """How long the last parse of a file took, 0 for a new one."""
        known = self.bundles[key[0]].known.get(key[1])
        return known.seconds if known is not None else 0.0

    def _request(self, request: ParseRequest) -> int:
        """Hand a request to a parse process, with what all of them are told; returns its number."""
        request.sys_path = self.settings.sys_path
        request.plugins_folder, request.examples_folder = self.settings.plugins_folder, self.settings.examples_folder
        request.ignore_syntax = self.settings.syntax
        return self.client.submit(request)

    def _store(self, key: Key, found: FoundFile, queued_at: datetime, response: ParseResponse) -> None:
        watched = self.bundles[key[0]]
        agreed = self.unsettled.pop(key, {})
        parsed = Parsed(
            bundle=watched.row,
            relative=found.relative,
            path=found.path,
            stat=(found.mtime_ns, found.size),
            response=response,
            is_present=self.is_present,
            agreed=agreed,
            now=utcnow(),
            queued_at=queued_at,
            bundle_version=found.bundle_version,
        )
        with transaction.atomic():
            stored = store_parsed(parsed)
        self.parsed_files += 1
        for hook, arguments in stored.told:
            self.plugins.tell(self._request, hook, **arguments)
        watched.known.remember(stored.row, has_error=stored.has_error)
        if stored.unsettled and not agreed:
            # Once more: a change that lasts comes from outside the file and is let in; one that does not stays out.
            self.unsettled[key] = stored.unsettled
            self.queue[key] = queued_at
        if stored.changed or response.import_error:
            outcome = f"changed {', '.join(stored.changed)}" if stored.changed else "import error"
            log.info("Parsed %s in %.2f s: %s", found.path, response.seconds, outcome)

    def _unreadable(self, watched: Watched, reason: str, now: datetime) -> None:
        watched.is_readable = False
        for known in watched.known.by_path.values():
            known.missing_since = None
        if watched.row.unreadable_since is not None and watched.row.unreadable_reason == storable(reason):
            return
        with transaction.atomic():
            if bundle_mark_unreadable(watched.row, reason, now):
                log.error("Bundle %s cannot be read, its DAGs stay as they are: %s", watched.source.name, reason)

    def _store_refusal(self, key: Key, found: FoundFile, queued_at: datetime, response: ParseResponse, error: Exception) -> None:
        """The database refuses what a file gave: tell its author, and leave the stored versions alone."""
        log.exception("%s: storing the parsed DAGs failed", found.path)
        text = f"{found.path}: the DAGs of this file could not be stored: {type(error).__name__}: {error}"
        refusal = ParseResponse(id=response.id, import_error=text, content_hash=response.content_hash, modules=response.modules)
        try:
            self._store(key, found, queued_at, refusal)
        except Exception:
            self._back_off(key)
            log.exception("%s: storing the import error failed; the file is parsed again later", found.path)

    def _back_off(self, key: Key) -> None:
        times = self.failures.get(key, (0, 0.0))[0] + 1
        self.failures[key] = (times, monotonic() + delay(times, base=1.0, cap=60.0))

    def _backed_off(self) -> set[Key]:
        now = monotonic()
        return {key for key, (_, until) in self.failures.items() if until > now}

    def _log_path(self, bundle_name: str, relative: str) -> str:
        return str(self.settings.log_folder / utcnow().strftime("%Y-%m-%d") / bundle_name / f"{relative}.log")


def _may_hold_dags(path: str) -> bool:
    """Safe mode: a file without the words is not parsed. Archives and unreadable files are left to the parse process."""
    if path.endswith(".zip"):
        return True
    try:
        return looks_like_dag_file(Path(path).read_bytes())
    except OSError:
        return True
