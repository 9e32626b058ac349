"""Decides how commits of a repository become folders: one bare copy, one folder per commit that appears whole or not at all.

    <storage>/<bundle>/bare             all commits that were fetched
    <storage>/<bundle>/versions/<sha>   the files of one commit
    <storage>/<bundle>/tracking_repo    link to the newest of them

A process that dies at any moment leaves at most a folder with a name of its own, which the next one removes.
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import AbstractContextManager
from pathlib import Path

from orchestrator.kernel.faults import fault_point
from orchestrator.sdk.bundles.configured import GitSource
from orchestrator.sdk.bundles.git_commands import TIMEOUT_SECONDS, Credentials, GitError, run_git
from orchestrator.sdk.bundles.locking import exclusive, hold_shared

_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_UNFINISHED = ".unfinished-"
LOCK_WAIT_SECONDS = TIMEOUT_SECONDS + 30.0
_REFS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")


class GitRepository:
    """The copies of one git bundle on this machine. Methods block; they raise ``GitError`` and ``OSError``."""

    def __init__(self, name: str, source: GitSource, root: Path) -> None:
        self.name, self.source = name, source
        self.folder = root / name
        self.bare = self.folder / "bare"
        self.versions = self.folder / "versions"
        self.tracking = self.folder / "tracking_repo"

    def current(self) -> str | None:
        """Return the commit that ``tracking_repo`` shows, None before the first one."""
        try:
            version = os.path.basename(os.readlink(self.tracking))
        except OSError:
            return None
        return version if (self.versions / version).is_dir() else None

    def refresh(self, credentials: Credentials) -> str:
        """Fetch, and let ``tracking_repo`` show the commit of the tracked branch, tag or commit; returns it."""
        with self._lock() as lock:
            self._fetch(credentials, lock)
            commit = self._resolve(self.source.tracking_ref)
            self._make(commit, credentials, lock)
            self._point_to(commit)
        return commit

    def checkout(self, version: str, credentials: Credentials) -> Path:
        """Return the folder of one commit, made where it is not there yet, and mark it as in use by this process.

        Raises ``GitError`` for a commit that the repository does not have.
        """
        if not _SHA.fullmatch(version):
            raise GitError(f"{version!r} is no commit of bundle {self.name!r}; a version is a full commit hash")
        hold_shared(self.use_lock(version))
        folder = self.versions / version
        if not folder.is_dir():
            with self._lock() as lock:
                if not folder.is_dir():
                    if not self._has(version):
                        self._fetch(credentials, lock)
                    if not self._has(version):
                        where = self.source.shown_url or self.name
                        raise GitError(f"commit {version} is not in {where}; was it removed by a forced push?")
                    self._make(version, credentials, lock)
        os.utime(self.use_lock(version))
        return folder / self.source.subdir

    def use_lock(self, version: str) -> Path:
        """Return the file whose lock says that a version is in use, and whose time says when it last was."""
        return self.folder / "used" / version

    def _lock(self) -> AbstractContextManager[int]:
        return exclusive(self.folder / "lock", LOCK_WAIT_SECONDS)

    def _fetch(self, credentials: Credentials, lock: int) -> None:
        self._heal()
        if not self.bare.is_dir():
            new = self.folder / f"{_UNFINISHED}bare-{os.getpid()}"
            run_git(["init", "--quiet", "--bare", new], keep_open=lock)
            os.rename(new, self.bare)
        fault_point("bundle.before_fetch")
        fetch = ["fetch", "--quiet", "--force", "--prune", "--no-auto-gc", "--", credentials.url, *_REFS]
        try:
            run_git(["--git-dir", self.bare, *fetch], credentials=credentials, keep_open=lock)
        except GitError as error:
            raise GitError(f"{self.source.shown_url or 'the repository'} cannot be fetched: {error}") from None

    def _heal(self) -> None:
        """Remove what processes that died left: no other one works here while the lock is held."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.folder, self.versions):
            for leftover in folder.glob(f"{_UNFINISHED}*"):
                remove(leftover)
        if not self.bare.exists():
            return
        for lock in [*self.bare.glob("*.lock"), *self.bare.glob("refs/**/*.lock"), *self.bare.glob("objects/**/*.lock")]:
            lock.unlink(missing_ok=True)
        try:
            run_git(["--git-dir", self.bare, "rev-parse", "--is-bare-repository"])
        except GitError:
            remove(self.bare)

    def _has(self, commit: str) -> bool:
        try:
            run_git(["--git-dir", self.bare, "cat-file", "-e", f"{commit}^{{commit}}"])
        except GitError:
            return False
        return True

    def _resolve(self, ref: str) -> str:
        for name in (f"refs/heads/{ref}", f"refs/tags/{ref}", ref):
            question = ["rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"]
            try:
                found = run_git(["--git-dir", self.bare, *question])
            except GitError:
                continue
            return found.strip()
        raise GitError(f"{self.source.shown_url or 'the repository'} has no branch, tag or commit {ref!r} (tracking_ref)")

    def _make(self, commit: str, credentials: Credentials, lock: int) -> None:
        """Make the folder of a commit under another name and rename it: it is there in full or not at all."""
        target = self.versions / commit
        if target.is_dir():
            return
        self.versions.mkdir(parents=True, exist_ok=True)
        for leftover in self.versions.glob(f"{_UNFINISHED}*"):
            remove(leftover)
        new = self.versions / f"{_UNFINISHED}{commit}-{os.getpid()}"
        os.close(hold_shared(self.use_lock(commit)))
        os.utime(self.use_lock(commit))  # a cleanup that comes meanwhile sees it as new
        # Objects are borrowed from the bare copy where the folder keeps no repository of its own.
        sharing = ["--shared"] if self.source.prune_dotgit_folder else []
        run_git(["clone", "--quiet", "--no-checkout", *sharing, "--", self.bare, new], keep_open=lock)
        fault_point("bundle.before_checkout")
        run_git(["-C", new, "checkout", "--quiet", "--detach", commit, "--"], keep_open=lock)
        fault_point("bundle.after_checkout")
        if self.source.submodules:
            run_git(["-C", new, "remote", "set-url", "origin", credentials.url], keep_open=lock)
            run_git(
                ["-C", new, "submodule", "update", "--quiet", "--init", "--recursive"], credentials=credentials, keep_open=lock
            )
        if self.source.prune_dotgit_folder:
            remove(new / ".git")
        if self.source.subdir and not (new / self.source.subdir).is_dir():
            remove(new)
            raise GitError(f"commit {commit[:12]} has no folder {self.source.subdir!r} (subdir)")
        os.rename(new, target)

    def _point_to(self, commit: str) -> None:
        """Let the link show a commit; a reader sees the old or the new one, never none."""
        os.close(hold_shared(self.use_lock(commit)))
        os.utime(self.use_lock(commit))
        if self.current() == commit:
            return
        new = self.folder / f"{_UNFINISHED}link-{os.getpid()}"
        new.unlink(missing_ok=True)
        os.symlink(os.path.join("versions", commit), new)
        if self.tracking.is_dir() and not self.tracking.is_symlink():
            shutil.rmtree(self.tracking)
        os.replace(new, self.tracking)


def remove(path: Path) -> None:
    """Remove a folder or file that may be gone already."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
