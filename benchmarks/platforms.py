"""Decides how a platform is started for a measurement, with the same settings for both, and how it is stopped."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.client import Client, until
from benchmarks.processes import family
from orchestrator.standalone.linux import descendants, die_with_parent, kill_all
from tests.postgres import free_port

REPOSITORY = Path(__file__).resolve().parent.parent
DAG_SOURCE = Path(__file__).parent / "dags" / "bench_dags.py"
START_SECONDS = 180
STOP_SECONDS = 60
# What the caller's shell may hold, and no platform may see.
FOREIGN = ("AIRFLOW", "ORCHESTRATOR_", "DATABASE_URL", "DJANGO_", "PYTHONPATH", "VIRTUAL_ENV")


@dataclass
class Platform:
    """One platform with an empty home. ``command`` starts it; ``settings`` are added to those of both platforms."""

    name: str
    home: Path
    database: str
    command: list[str]
    settings: dict[str, str]
    parallelism: int
    port: int = field(default_factory=free_port)
    started_at: float = 0.0
    _process: subprocess.Popen[bytes] | None = None

    @property
    def is_ours(self) -> bool:
        return self.name == OURS

    def install(self, dag_id: str, mark: str = "unchanged") -> None:
        """Write the DAG file ``<dag_id>.py``, at once and whole; ``mark`` becomes the DAG's description."""
        folder = self.home / "dags"
        folder.mkdir(parents=True, exist_ok=True)
        part = self.home / "new_dag_file"
        part.write_text(DAG_SOURCE.read_text().replace('MARK = "unchanged"', f'MARK = "{mark}"'))
        part.replace(folder / f"{dag_id}.py")

    def start(self) -> Client:
        """Start the command and wait until it lets the client in. Raises RuntimeError with its output where it ends."""
        client = Client(f"http://127.0.0.1:{self.port}", self.home)
        self.started_at = time.time()
        parent = os.getpid()
        with (self.home / "output.log").open("wb") as output:
            self._process = subprocess.Popen(
                self.command,
                cwd=REPOSITORY if self.is_ours else self.home,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=lambda: die_with_parent(parent),
            )
        until(lambda: self._is_running() and client.sign_in(), START_SECONDS, f"{self.name} to start")
        return client

    def pids(self) -> list[int]:
        """Return the ids of all living processes of the platform; the database server is none of them."""
        return family(self._process.pid) if self._process else []

    def stop(self) -> None:
        """End everything, politely first, and delete the home."""
        if self._process is not None:
            pids = self.pids()
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                pids += self.pids()
            # An orphan is a child of this process by now, so an id that was given away again is not hit.
            kill_all(list(set(pids) & set(descendants(os.getpid()))))
            self._process.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    def output(self) -> str:
        """Return the end of what the platform printed."""
        return (self.home / "output.log").read_text(errors="replace")[-3000:]

    def _is_running(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"{self.name} ended while starting; its output:\n{self.output()}")
        return True

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        return kept | {
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self.database,
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.home / "dags"),
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__PARALLELISM": str(self.parallelism),
            "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": str(self.parallelism),
            "AIRFLOW__CORE__DEFAULT_POOL_TASK_SLOT_COUNT": str(max(128, self.parallelism)),
            "AIRFLOW__CORE__MAX_MAP_LENGTH": "100000",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            **self.settings,
        }


OURS = "ours"


def ours(home: Path, database: str, parallelism: int) -> Platform:
    """Return this repository's platform; ``database`` is a URL."""
    command = [sys.executable, "manage.py", "standalone"]
    return Platform(OURS, home, database, command, {}, parallelism)


def airflow(python: Path, home: Path, database: str, parallelism: int) -> Platform:
    """Return the real Airflow of the interpreter ``python``; every port that it listens on is a free one."""
    version = subprocess.run(
        [python, "-c", "from importlib.metadata import version; print(version('apache-airflow'))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    platform = Platform(
        f"Airflow {version}",
        home,
        database.replace("postgresql://", "postgresql+psycopg2://"),
        [str(python), "-m", "airflow", "standalone"],
        {
            "PATH": f"{python.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
        },
        parallelism,
    )
    platform.settings["AIRFLOW__API__BASE_URL"] = f"http://127.0.0.1:{platform.port}"
    platform.settings["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] = f"http://127.0.0.1:{platform.port}/execution/"
    return platform
