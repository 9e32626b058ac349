"""Decides which files go with history: the logs and large XComs of deleted runs, and log files past their days (C18)."""

from __future__ import annotations

import logging
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from queue import Empty, SimpleQueue

from orchestrator.config import conf
from orchestrator.sdk.execution import xcom_objects
from runs.retention.old_runs import OldRun

log = logging.getLogger(__name__)

IDLE_SECONDS = 5.0
# Only folders that the platform makes: a log folder may be shared with others.
_OURS = re.compile("dag_id=|dag_processor|callbacks|scheduler|standalone")
_DAY = re.compile(r"\d{4}-\d\d-\d\d$")


def run_files_remove(runs: Iterable[OldRun]) -> None:
    """Delete the log folders and large XComs of runs whose rows are gone."""
    base = Path(conf.get("logging", "base_log_folder")).absolute()
    for run in runs:
        folder = base / f"dag_id={run.dag_id}" / f"run_id={run.run_id}"
        if folder.parent.parent == base and ".." not in folder.parts and folder.is_dir():
            shutil.rmtree(folder, ignore_errors=True)
            _remove_empty(folder.parent)
        xcom_objects.remove_run(run.dag_id, run.run_id)


def large_values_remove(locations: Iterable[str]) -> None:
    """Delete the files of large XComs whose rows are gone."""
    for location in locations:
        xcom_objects.remove(location)


def old_logs_remove(before: datetime) -> int:
    """Delete log files that nothing was written to since ``before``, and folders left empty; returns how many files."""
    base, moment, gone = Path(conf.get("logging", "base_log_folder")), before.timestamp(), 0
    parsing = Path(conf.get("logging", "dag_processor_child_process_log_directory"))
    for top in [*_folders(base, _OURS), *_folders(parsing, _DAY)]:
        for folder, _, names in os.walk(top, topdown=False):
            gone += sum(_remove_old(os.path.join(folder, name), moment) for name in names if ".log" in name)
            _remove_empty(Path(folder))
    return gone


def _folders(base: Path, ours: re.Pattern[str]) -> list[Path]:
    try:
        return [entry for entry in base.iterdir() if ours.match(entry.name) and entry.is_dir() and not entry.is_symlink()]
    except OSError:
        return []


def _remove_old(path: str, moment: float) -> int:
    try:
        if os.lstat(path).st_mtime >= moment:
            return 0
        os.unlink(path)
    except OSError:
        return 0
    return 1


def _remove_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return


class FileRemover:
    """Deletes files in a thread of its own, so that a slow disk holds no decision up; the thread ends when it is idle.

    What a crash leaves behind goes when its days are over.
    """

    def __init__(self) -> None:
        self._waiting: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, work: Callable[[], object]) -> None:
        """Do this soon."""
        with self._lock:
            self._waiting.put(work)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="retention-files", daemon=True)
                self._thread.start()

    def join(self) -> None:
        """Wait until everything is done."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def _work(self) -> None:
        while True:
            try:
                work = self._waiting.get(timeout=IDLE_SECONDS)
            except Empty:
                with self._lock:
                    if self._waiting.empty():
                        self._thread = None
                        return
                continue
            try:
                work()
            except Exception:
                log.exception("files of deleted runs could not be deleted; they go when [retention] logs_days are over")
