"""Decides how a saved file wakes the DAG processor at once; the scan of file times stays the truth."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path

log = logging.getLogger(__name__)
logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it tells of every single change

DEBOUNCE_MS = 200
STEP_MS = 20


class FileWatch:
    """A thread that writes a byte to a pipe whenever something changes below one of the folders."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.fd, self._write_fd = os.pipe()
        os.set_blocking(self.fd, False)
        os.set_blocking(self._write_fd, False)
        self._folders = [folder for folder in folders if folder.is_dir()]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="file-watch", daemon=True)
        self.changed = False

    def start(self) -> None:
        """Begin to watch; folders that do not exist yet are left to the scan."""
        if self._folders:
            self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def take(self) -> bool:
        """Empty the pipe; called by the service's loop when the pipe is readable."""
        self.changed = True
        try:
            os.read(self.fd, 4096)
        except BlockingIOError:
            return False
        return True

    def _run(self) -> None:
        try:
            from watchfiles import watch

            for _ in watch(
                *self._folders,
                debounce=DEBOUNCE_MS,
                step=STEP_MS,
                stop_event=self._stop,
                rust_timeout=1000,
                yield_on_timeout=False,
                raise_interrupt=False,
            ):
                self.wake()
        except Exception as error:
            log.warning("The system does not report file changes (%s); the scan finds them a little later", error)

    def wake(self) -> None:
        """Let the loop look now; any thread may call it."""
        try:
            os.write(self._write_fd, b"c")
        except BlockingIOError:
            return
