"""Decides how a test gets a deployment of its own: a home, a migrated database, a DAGs folder and processes that end with it."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.oracle import REPOSITORY
from tests.postgres import execute, free_port

GRACE_SECONDS = 20


class Deployment:
    """A home with everything that ``manage.py`` needs. Change ``env`` before starting a process to configure it."""

    def __init__(self, home: Path, database_url: str) -> None:
        self.home = home
        self.dags = home / "dags"
        self.logs = home / "logs"
        self.port = free_port()
        self.database_url = database_url
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"} | {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database_url,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            "PYTHONUNBUFFERED": "1",
        }
        self.processes: list[subprocess.Popen[bytes]] = []
        self.dags.mkdir(parents=True, exist_ok=True)

    def run(self, *arguments: str, timeout: float = 240, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run ``manage.py`` to its end; ``timeout`` in seconds. Raises with its output where it fails."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=REPOSITORY,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=timeout,
            **options,
        )
        if done.returncode:
            raise RuntimeError(
                f"manage.py {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
            )
        return done

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start ``manage.py`` in a process group of its own; its output goes to ``<home>/<command>.out``."""
        with self.output(arguments[0]).open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "manage.py", *arguments],
                cwd=REPOSITORY,
                env=self.env,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def output(self, command: str) -> Path:
        """Return the file with the output of a started command."""
        return self.home / f"{command}.out"

    def stop(self) -> None:
        """End all processes that were started, politely first."""
        running = [process for process in self.processes if process.poll() is None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            try:
                process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


class Template:
    """A migrated deployment that is copied for each test: migrating takes seconds, copying does not."""

    def __init__(self, directory: Path, server_url: str | None) -> None:
        self._home = directory / "home"
        self._server_url = server_url
        self._name = f"template_{secrets.token_hex(4)}"
        if server_url:
            execute(_database(server_url, "postgres"), f"CREATE DATABASE {self._name}")
        Deployment(self._home, self._url(self._home, self._name)).run("migrate", "--verbosity", "0")

    def copy(self, home: Path) -> Deployment:
        """Return a new deployment at ``home``, which does not exist yet."""
        shutil.copytree(self._home, home)
        name = f"test_{secrets.token_hex(6)}"
        if self._server_url:
            execute(_database(self._server_url, "postgres"), f"CREATE DATABASE {name} TEMPLATE {self._name}")
        return Deployment(home, self._url(home, name))

    def drop(self, deployment: Deployment) -> None:
        """Stop a deployment's processes and delete its database."""
        deployment.stop()
        if self._server_url:
            name = deployment.database_url.rpartition("/")[2]
            execute(_database(self._server_url, "postgres"), f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _url(self, home: Path, name: str) -> str:
        return _database(self._server_url, name) if self._server_url else f"sqlite:///{home / 'airflow.db'}"


def _database(server_url: str, name: str) -> str:
    return f"{server_url.rpartition('/')[0]}/{name}"
