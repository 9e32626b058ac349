"""Decides where the tests get a PostgreSQL server from: they start their own, with a directory and a port of its own."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tests.waiting import wait_until

MISSING = "PostgreSQL is not installed: no `initdb` in PATH or /usr/lib/postgresql/*/bin. Run `apt-get install postgresql`."
# A test server may lose everything when the machine stops, so it never waits for the disk.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200", "shared_buffers=64MB")
_KEEPERS: list[socket.socket] = []  # of the ports that were given away


class PostgresServer:
    """A server of our own on a free port; ``url()`` names a database on it. Needs no network and no root."""

    def __init__(self, directory: Path, settings: tuple[str, ...] = FAST) -> None:
        self._directory = directory
        self._settings = settings
        self._data = directory / "data"
        self._programs = _programs()
        self._as_user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    def start(self) -> None:
        """Create the cluster, start the server and wait until it answers. Raises with the server's log where it does not."""
        self._directory.mkdir(parents=True)
        if self._as_user:
            shutil.chown(self._directory, "postgres", "postgres")
        initdb = [
            self._programs / "initdb",
            "-D",
            self._data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "-N",
        ]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd="/", **self._as_user)
        self._launch()

    def _launch(self) -> None:
        command = [str(self._programs / "postgres"), "-D", str(self._data), "-k", str(self._directory), "-p", str(self.port)]
        for setting in ("listen_addresses=127.0.0.1", *self._settings):
            command += ["-c", setting]
        log = self._directory / "server.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command, stdout=output, stderr=output, cwd="/", start_new_session=True, **self._as_user
            )
        try:
            wait_until(self._answers, 60, what="PostgreSQL to answer")
        except AssertionError as error:
            raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()[-2000:]}") from error

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise AssertionError("the server ended")
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def url(self, database: str) -> str:
        """Return the URL of a database on this server."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        """End the server at once and delete its files."""
        self._end(signal.SIGQUIT)
        shutil.rmtree(self._directory, ignore_errors=True)

    def halt(self) -> None:
        """Close all connections and end the server, as when the database goes away; ``resume`` brings it back.

        This is the orderly end: with ``fsync=off`` a harder one would lose what was committed.
        """
        self._end(signal.SIGINT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait()
        self._process = None

    def resume(self) -> None:
        """Start the server again on the same files and port."""
        self._launch()


def free_port() -> int:
    """Return a TCP port that nothing listens on, and that is given to nobody else who asks for any port.

    Until this process ends a socket keeps it, which takes no connections. A server that allows to reuse addresses, as all of
    ours do, can listen on it, end, and listen on it again.
    """
    keeper = socket.socket()
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    keeper.bind(("127.0.0.1", 0))
    _KEEPERS.append(keeper)
    return int(keeper.getsockname()[1])


def execute(url: str, statement: str) -> None:
    """Execute one statement outside of a transaction, e.g. CREATE DATABASE."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[arg-type, call-overload, unused-ignore]


def _programs() -> Path:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parent.parent.name))
    if not installed:
        raise FileNotFoundError(MISSING)
    return installed[-1].parent


@contextlib.contextmanager
def spare_server() -> Iterator[PostgresServer]:
    """Give a started server of its own; its folder is outside of pytest's, which the server's user may not enter."""
    with tempfile.TemporaryDirectory(prefix="orchestrator-postgresql-") as name:
        Path(name).chmod(0o755)
        server = PostgresServer(Path(name) / "server")
        server.start()
        try:
            yield server
        finally:
            server.stop()
