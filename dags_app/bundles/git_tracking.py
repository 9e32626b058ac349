"""Decides when a git bundle is fetched: at its interval, in a thread of its own, so that a slow remote delays nobody else."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dags_app.bundles.git_credentials import credentials_of
from orchestrator.config import conf
from orchestrator.kernel.clock import monotonic
from orchestrator.sdk.bundles.configured import BundleSource, storage_root
from orchestrator.sdk.bundles.git_commands import Credentials, GitError
from orchestrator.sdk.bundles.git_repository import GitRepository
from orchestrator.sdk.bundles.stale_versions import Keep, remove_stale

log = logging.getLogger(__name__)

RETRY_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Tracked:
    """``commit`` is the one to read files of, None before the first; ``error`` says why the last fetch failed."""

    commit: str | None
    error: str = ""


class GitTracking:
    """Follows one repository. What was fetched before stays in use while the remote cannot be reached (I9)."""

    def __init__(self, source: BundleSource) -> None:
        assert source.git is not None  # noqa: S101  the caller chose it by that
        self.source = source
        self.repository = GitRepository(source.name, source.git, storage_root())
        self.on_fetched: Callable[[], None] = lambda: None
        self._thread: threading.Thread | None = None
        self._due_at = 0.0
        self._clean_at = 0.0
        self._state = Tracked(self.repository.current())

    @property
    def is_fetching(self) -> bool:
        """True while a fetch is under way."""
        return self._thread is not None and self._thread.is_alive()

    def folder_of(self, commit: str) -> Path:
        """Return the folder of a commit's DAG files."""
        return self.repository.versions / commit / self.repository.source.subdir

    def look(self, *, wait: bool = False) -> Tracked:
        """Return what is known, and begin a fetch where one is due.

        :param wait: wait for the fetch; for a single pass, where nobody looks again.
        """
        if not self.is_fetching and monotonic() >= self._due_at:
            self._begin()
        if wait and self._thread is not None:
            self._thread.join()
        return self._state

    def close(self) -> None:
        """Wait a moment for a fetch to end; git itself ends with its time limit."""
        if self._thread is not None:
            self._thread.join(timeout=2)

    def _begin(self) -> None:
        self._due_at = monotonic() + self.source.refresh_seconds
        try:
            credentials = credentials_of(self.source)
        except (ValueError, LookupError) as error:
            self._fail(str(error))
            return
        self._thread = threading.Thread(target=self._fetch, args=(credentials,), name=f"git-{self.source.name}", daemon=True)
        self._thread.start()

    def _fetch(self, credentials: Credentials) -> None:
        try:
            self._state = Tracked(self.repository.refresh(credentials))
            self._clean()
        except (GitError, OSError) as error:
            self._fail(str(error))
        except Exception as error:
            log.exception("Bundle %s: the fetch failed", self.source.name)
            self._fail(f"{type(error).__name__}: {error}")
        self.on_fetched()

    def _fail(self, text: str) -> None:
        self._state = Tracked(self.repository.current(), text)
        self._due_at = min(self._due_at, monotonic() + RETRY_SECONDS)

    def _clean(self) -> None:
        if monotonic() < self._clean_at:
            return
        interval = conf.get("dag_processor", "stale_bundle_cleanup_interval")
        self._clean_at = monotonic() + interval
        age = conf.get("dag_processor", "stale_bundle_cleanup_age_threshold")
        if interval:
            keep = Keep(age, conf.get("dag_processor", "stale_bundle_cleanup_min_versions"))
            if removed := remove_stale(self.repository, keep):
                log.info("Bundle %s: removed the unused versions %s", self.source.name, ", ".join(item[:12] for item in removed))
