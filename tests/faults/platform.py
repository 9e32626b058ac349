"""Decides how a fault test runs the whole platform, breaks it, and looks into its database without being part of it."""

import contextlib
import os
import signal
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

from tests.deployment import Deployment
from tests.faults.journal import Note, read_journal
from tests.waiting import wait_until

TRAILER = b'"event":"Task attempt ended"'
UNFINISHED = "COALESCE(state, 'none') NOT IN ('success', 'failed', 'skipped', 'upstream_failed', 'removed')"


class Platform:
    """A deployment whose parts run and are started again when they die, at once or as ``standalone`` does it."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.folder = deployment.home / "journal"
        self.folder.mkdir()
        self.faults = deployment.home / "faults"
        self.faults.mkdir()
        # The server for workers is standalone's own, as with default settings.
        self._url = deployment.env.pop("AIRFLOW__CORE__EXECUTION_API_SERVER_URL")
        self._stopping = False
        self._keepers: list[threading.Thread] = []

    # --- parts ---

    def arm(self, faults: str) -> None:
        """Arm faults (kernel/faults.py) for the processes started from now on; each happens once."""
        self.deployment.env |= {"ORCHESTRATOR_FAULTS": faults, "ORCHESTRATOR_FAULTS_ONCE": str(self.faults)}

    def happened(self) -> set[str]:
        """Names of the faults that have happened."""
        return {path.name.removesuffix(".happened") for path in self.faults.glob("*.happened")}

    def standalone(self) -> int:
        """Start everything with one command; return its pid."""
        return self.deployment.start("standalone").pid

    def keep(self, *commands: str) -> None:
        """Start parts, each again as soon as it dies; workers talk to the ``api_server``."""
        self.deployment.env["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] = self._url
        for command in commands:
            keeper = threading.Thread(target=self._keep, args=(command,), daemon=True)
            self._keepers.append(keeper)
            keeper.start()

    def _keep(self, command: str) -> None:
        while not self._stopping:
            self.deployment.start(command).wait()

    def stop(self) -> None:
        """End all, and everything that they left behind."""
        self._stopping = True
        self.deployment.stop()
        for keeper in self._keepers:
            keeper.join(30)
        self.deployment.stop()
        for pid in self.family():
            with contextlib.suppress(ProcessLookupError):  # it ended by itself meanwhile
                os.kill(pid, signal.SIGKILL)

    def family(self) -> list[int]:
        """Processes that have this deployment's home in their environment."""
        mark = f"AIRFLOW_HOME={self.deployment.home}".encode()
        return [pid for pid in all_pids() if mark in _read(pid, "environ").split(b"\0")]

    def pids(self, words: str) -> list[int]:
        """Processes of this deployment with ``words`` in their command line or as their name."""
        return [pid for pid in self.family() if words.encode() in _read(pid, "cmdline") + _read(pid, "comm")]

    def write_dag(self, text: str, name: str = "web.py") -> None:
        """Put a DAG file into the folder, whole at once."""
        draft = self.deployment.dags / f"{name}.draft"
        draft.write_text(text)
        draft.rename(self.deployment.dags / name)

    # --- what it did ---

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the platform's database."""
        url = self.deployment.database_url
        if url.startswith("sqlite:///"):
            with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30)) as connection:
                return connection.execute(sql).fetchall()
        with psycopg.connect(url, autocommit=True) as connection:
            return connection.execute(sql.replace("%", "%%") if "%" in sql else sql).fetchall()  # type: ignore[arg-type]

    def execute(self, sql: str, *values: Any) -> None:
        """Change the platform's database; ``?`` stands for a value."""
        url = self.deployment.database_url
        if url.startswith("sqlite:///"):
            with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30)) as connection, connection:
                connection.execute(sql, values)
            return
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.replace("?", "%s"), values)  # type: ignore[arg-type]

    def notes(self) -> list[Note]:
        """The journal."""
        return read_journal(self.folder)

    def states(self, dag_id: str = "web") -> dict[str, int]:
        """Number of task instances by state."""
        sql = f"SELECT COALESCE(state, 'none'), COUNT(*) FROM runs_taskinstance WHERE dag_id = '{dag_id}' GROUP BY 1"
        return dict(self.rows(sql))  # type: ignore[arg-type]

    def run_states(self, dag_id: str = "web") -> list[str]:
        """States of the runs of a DAG."""
        return [state for (state,) in self.rows(f"SELECT state FROM runs_dagrun WHERE dag_id = '{dag_id}'")]

    def wait_finished(self, dag_id: str = "web", timeout: float = 180.0, runs: int = 1) -> None:
        """Wait until ``runs`` runs of a DAG have ended; fails with what is left unfinished."""
        try:
            wait_until(lambda: self._ended(dag_id) >= runs, timeout, what=f"{runs} runs of {dag_id} to end", interval=0.2)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.report(dag_id)}") from None

    def wait_run(self, dag_id: str, run_id: str, timeout: float = 180.0) -> str:
        """Wait until one run has ended and return its state."""
        ended = "state IN ('success', 'failed')"
        sql = f"SELECT state FROM runs_dagrun WHERE dag_id = '{dag_id}' AND run_id = '{run_id}' AND {ended}"
        try:
            return str(wait_until(lambda: self.rows(sql), timeout, what=f"run {run_id} of {dag_id}", interval=0.2)[0][0])
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.report(dag_id)}") from None

    def wait_logs(self, dag_id: str, attempts: int) -> None:
        """Wait until that many attempts of a DAG have closed their logs.

        A task reports its end before its process ends: only a closed log says that its callbacks are through and all is written.
        """
        place = self.deployment.logs / f"dag_id={dag_id}"
        wait_until(lambda: _closed(place) >= attempts, 120, what=f"{attempts} logs of {dag_id} to be closed", interval=0.2)

    def has_ended(self, dag_id: str) -> bool:
        """Whether a run of the DAG has ended."""
        return self._ended(dag_id) > 0

    def _ended(self, dag_id: str) -> int:
        return sum(state in ("success", "failed") for state in self.run_states(dag_id))

    def report(self, dag_id: str = "web") -> str:
        """What a person needs to find out why something hangs."""
        columns = "task_id, state, try_number, wait_reason, dispatch_id, queued_by, retry_at, cause, cause_detail"
        left = self.rows(f"SELECT {columns} FROM runs_taskinstance WHERE dag_id = '{dag_id}' AND {UNFINISHED} LIMIT 10")
        outputs = [f"--- {path.name}\n{path.read_text()[-3000:]}" for path in self.deployment.home.glob("*.out")]
        runs = self.rows(f"SELECT run_id, state, scheduling_error, scheduler_id FROM runs_dagrun WHERE dag_id = '{dag_id}'")
        return "\n".join([f"{self.states(dag_id)} {runs[:5]}", f"happened: {self.happened()}", *map(str, left), *outputs])

    def wait_answers(self) -> None:
        """Wait until the API server answers."""
        wait_until(self.answers, 120, what="the API server to answer")

    def answers(self) -> bool:
        """Whether the API server answers."""
        try:
            with urllib.request.urlopen(f"{self.deployment.url}/api/v2/version", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False


def _closed(place: Path) -> int:
    return sum(TRAILER in path.read_bytes()[-2000:] for path in place.rglob("attempt=*.log"))


def all_pids() -> list[int]:
    """All processes of this machine."""
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def _read(pid: int, what: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{what}").read_bytes()
    except OSError:
        return b""


def seconds_since(moment: float) -> float:
    """Seconds since a moment of ``time.monotonic``."""
    return time.monotonic() - moment
