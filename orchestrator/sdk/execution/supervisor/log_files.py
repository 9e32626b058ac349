"""Decides when the bytes of task logs reach their files, and what is lost when the disk does not take them.

One thread writes for all attempts, so a slow or full disk never holds up the supervisor's loop. What waits for the disk is
bounded per attempt; beyond that whole lines are dropped and counted.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections import deque
from pathlib import Path

log = logging.getLogger(__name__)

PAUSE_SECONDS = 0.05  # lines of a chatty task gather this long and share one write
RETRY_SECONDS = 1.0
STALLED_SECONDS = 10.0
GIVE_UP_AFTER_CLOSE_SECONDS = 5.0


class LogFile:
    """One log file; lines go in on one thread and to the disk on another."""

    def __init__(self, path: Path, spool_bytes: int, file_mode: int, folder_mode: int) -> None:
        self.path = path
        self.dropped_lines = 0
        self.error: str | None = None
        self.closed_at: float | None = None
        # Two counters, each changed by one thread only: one that both change would drift, and lines be dropped for it.
        self._taken_bytes = 0
        self._written_bytes = 0
        self._spool_bytes = spool_bytes
        self._modes = (file_mode, folder_mode)
        self._chunks: deque[tuple[bytes, int]] = deque()
        self._fd = -1
        self._progress = time.monotonic()

    @property
    def pending_bytes(self) -> int:
        """What waits for the disk."""
        return self._taken_bytes - self._written_bytes

    @property
    def is_behind(self) -> bool:
        """Whether the disk works, only slower than lines come: then it is better to wait than to drop them."""
        moving = time.monotonic() - self._progress < STALLED_SECONDS
        return self.error is None and moving and self.pending_bytes > self._spool_bytes // 2

    def put(self, chunk: bytes, lines: int, force: bool = False) -> None:
        """Take whole lines; drops and counts them when too much waits for the disk, unless `force`."""
        if not self._chunks:
            self._progress = time.monotonic()
        if self.pending_bytes + len(chunk) > self._spool_bytes and self._chunks and not force:
            self.dropped_lines += lines
            return
        self._chunks.append((chunk, lines))
        self._taken_bytes += len(chunk)

    def write(self) -> bool:
        """Write what waits; return whether everything is on its way to the disk. Only the writer's thread calls this."""
        try:
            if self._fd < 0:
                self._fd = self._open()
            while self._chunks:
                chunk, lines = self._chunks[0]
                written = os.write(self._fd, chunk)
                self._written_bytes += written
                self._progress = time.monotonic()
                if written < len(chunk):
                    self._chunks[0] = (chunk[written:], lines)
                else:
                    self._chunks.popleft()
        except OSError as error:
            if self.error is None:
                log.warning("Cannot write the log %s: %s", self.path, error.strerror)
            self.error = error.strerror or str(error)
            return False
        self.error = None
        return True

    def finish(self) -> None:
        """Close the file; what could not be written is given up."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._chunks.clear()

    def _open(self) -> int:
        file_mode, folder_mode = self._modes
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            return os.open(self.path, flags, file_mode)
        except FileNotFoundError:
            self._make_folders(self.path.parent, folder_mode)
            return os.open(self.path, flags, file_mode)

    def _make_folders(self, folder: Path, mode: int) -> None:
        if not folder.exists():
            self._make_folders(folder.parent, mode)
            with contextlib.suppress(FileExistsError):
                folder.mkdir(mode=mode)


class LogWriter:
    """The thread that writes the files of all attempts."""

    def __init__(self) -> None:
        self._dirty: dict[LogFile, None] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wrote_into(self, file: LogFile) -> None:
        """Have the file written soon."""
        if file not in self._dirty:
            with self._changed:
                self._dirty[file] = None
                self._changed.notify()

    def close(self, file: LogFile) -> None:
        """Write what waits and close the file. Its error, if any, is retried for a few seconds only."""
        file.closed_at = time.monotonic()
        self.wrote_into(file)

    def stop(self) -> None:
        """Write what waits, then end the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(GIVE_UP_AFTER_CLOSE_SECONDS * 2)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._dirty and not self._stopping:
                    self._changed.wait()
                files, self._dirty = self._dirty, {}
            if not files and self._stopping:
                return
            failed = [file for file in files if not self._settle(file)]
            self._wait_before_next(failed)

    def _settle(self, file: LogFile) -> bool:
        closed_at = file.closed_at  # read before writing: what was put before the close is then written by it
        written = file.write()
        if closed_at is not None and (written or time.monotonic() - closed_at > GIVE_UP_AFTER_CLOSE_SECONDS):
            file.finish()
            return True
        return written

    def _wait_before_next(self, failed: list[LogFile]) -> None:
        with self._changed:
            if failed:
                self._changed.wait(RETRY_SECONDS)
            for file in failed:
                self._dirty[file] = None
        if not self._stopping:
            time.sleep(PAUSE_SECONDS)
