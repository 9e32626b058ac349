"""Decides which DAG host serves an attempt, and when hosts and the zygote come and go.

It has over 300 lines because a host ends in several ways at once (its process, its socket, the zygote's word), and one
place has to bring them together.
"""

from __future__ import annotations

import itertools
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.sdk.execution.supervisor.attempt import Attempt
from orchestrator.sdk.execution.supervisor.endings import Exit
from orchestrator.sdk.execution.supervisor.loop import READABLE, Loop, Timer
from orchestrator.sdk.execution.supervisor.plugins_watch import PluginsWatch
from orchestrator.sdk.execution.supervisor.processes import kill_descendants, rss_kb, signal_process
from orchestrator.sdk.execution.supervisor.settings import SupervisorSettings
from orchestrator.sdk.execution.wire import Message, packet_pair, receive_packet, send_packet

log = logging.getLogger(__name__)

MAX_IMPORT_OUTPUT = 64 * 1024
CHECKOUT_SECONDS = 600.0  # more than git may take; fetching ends with its own limit and a better text
Key = tuple[Any, ...]


@dataclass(slots=True, eq=False)
class Host:
    """One process that has imported one version of one file; `once` hosts serve a single attempt."""

    number: int
    key: Key
    connection: socket.socket
    output: int
    once: bool
    pid: int = 0
    loaded: bool = False
    failure: str | None = None
    cause: str = "dag_import_error"
    waiting: list[Attempt] = field(default_factory=list)
    attempts: dict[str, Attempt] = field(default_factory=dict)
    born: float = field(default_factory=time.monotonic)
    last_used: float = field(default_factory=time.monotonic)
    import_seconds: float = 0.0  # 0: no limit
    deadline: Timer | None = None
    retired: bool = False


class HostEvents:
    """What the pool tells; the supervisor fills it in."""

    on_forked: Callable[[Attempt, int, float | None], None]
    on_limit: Callable[[Attempt, float | None], None]
    on_exited: Callable[[Attempt, Exit], None]
    on_load_failed: Callable[[Attempt, str, str], None]
    on_host_died: Callable[[Attempt, Exit], None]
    on_import_output: Callable[[Attempt, str], None]


class HostPool:
    """At most `max_hosts` hosts, the least recently used idle one goes first."""

    def __init__(self, loop: Loop, settings: SupervisorSettings, events: HostEvents) -> None:
        self._loop, self._settings, self._events = loop, settings, events
        self._numbers = itertools.count(1)
        self._hosts: dict[int, Host] = {}
        self._by_key: dict[Key, Host] = {}
        self._threaded: set[Key] = set()
        self._zygote: subprocess.Popen[bytes] | None = None
        self._zygote_socket: socket.socket | None = None
        self._zygote_idle_since = time.monotonic()
        self._plugins = PluginsWatch(settings)
        loop.call_later(settings.tidy_seconds, self._tidy)

    def launch(self, attempt: Attempt) -> None:
        """Have a process made for the attempt; the outcome comes as an event.

        Raises:
            OSError: no zygote can be started.
        """
        key = self._key(attempt.workload)
        once = self._settings.new_interpreter_per_task or key in self._threaded
        host = None if once else self._by_key.get(key)
        if host is None or host.retired:
            host = self._start(key, once)
        host.last_used = time.monotonic()
        attempt.host = host
        host.attempts[attempt.ti_id] = attempt
        if host.loaded or once:
            self._give(host, attempt)
        else:
            host.waiting.append(attempt)

    def is_idle(self) -> bool:
        """Whether no attempt is with any host."""
        return not any(host.attempts for host in self._hosts.values())

    def close(self) -> None:
        """End everything below this process."""
        if self._zygote_socket is not None:
            self._zygote_socket.close()
        kill_descendants(os.getpid())

    def _key(self, workload: Message) -> Key:
        bundle = workload["bundle_info"]
        path = self._path(workload)
        if bundle.get("version"):  # a commit never changes; its folder may still have to be made
            return (bundle["name"], bundle["version"], path, (), self._plugins.fingerprint())
        try:
            stat = os.stat(path)
            content = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        except OSError:
            content = (0, 0, 0)
        return (bundle["name"], bundle.get("version"), path, content, self._plugins.fingerprint())

    def _path(self, workload: Message) -> str:
        bundle = workload["bundle_info"]
        if bundle.get("version"):
            return str(workload["dag_rel_path"])  # the host makes the folder: fetching a commit would stop this loop
        return str(Path(self._settings.bundle_folder(bundle["name"])) / workload["dag_rel_path"])

    def _start(self, key: Key, once: bool) -> Host:
        for attempt in (1, 2):
            mine, theirs = packet_pair()
            number = next(self._numbers)
            try:
                send_packet(self._living_zygote(), {"type": "StartHost", "number": number, "once": once}, [theirs.fileno()])
                break
            except OSError:
                mine.close()
                self._forget_zygote()
                if attempt == 2:
                    raise
            finally:
                theirs.close()
        host = Host(number, key, mine, os.memfd_create("import-output"), once)
        self._hosts[number] = host
        if not once:
            self._make_room()
            self._by_key[key] = host
            host.import_seconds = self._settings.import_timeout_seconds + (CHECKOUT_SECONDS if key[1] else 0.0)
        bundle_folder = self._settings.bundle_folder(key[0])
        paths = [self._settings.dags_folder, self._settings.plugins_folder]
        paths += [] if key[1] else [bundle_folder]
        place = {"type": "Load", "path": key[2], "paths": paths, "bundle": {"name": key[0], "version": key[1]}}
        send_packet(mine, {**place, **self._plugins.places()}, [host.output])
        mine.setblocking(False)
        self._loop.add(mine.fileno(), READABLE, lambda _events: self._host_ready(host))
        return host

    def _give(self, host: Host, attempt: Attempt) -> None:
        streams, ti = attempt.streams, attempt.workload["ti"]
        if streams is None or not streams.descriptors:
            host.attempts.pop(attempt.ti_id, None)  # it was stopped before it came to a process
            return
        message = {"type": "Attempt", "ti_id": attempt.ti_id, "dag_id": ti["dag_id"], "task_id": ti["task_id"]}
        try:
            send_packet(host.connection, message, streams.descriptors)
        except BlockingIOError:
            self._loop.call_later(0.005, lambda: self._give(host, attempt) if attempt.ti_id in host.attempts else None)
            return
        except OSError:
            return  # the host is gone; its HostExited follows
        streams.release_descriptors()

    def _host_ready(self, host: Host) -> None:
        for _ in range(32):
            try:
                packet = receive_packet(host.connection)
            except BlockingIOError:
                return
            if packet is None:
                self._loop.remove(host.connection.fileno())
                return
            self._on_packet(host, packet[0])

    def _on_packet(self, host: Host, message: Message) -> None:
        kind = message["type"]
        if kind == "Loaded":
            self._on_loaded(host, message)
        elif kind == "LoadFailed":
            host.failure, host.cause = message["error"], message["cause"]
        elif kind == "ImportLimit":
            host.import_seconds = float(message["seconds"])
            self._limit_import(host)
        elif (attempt := host.attempts.get(message["ti_id"])) is None:
            return
        elif kind == "Forked":
            self._events.on_forked(attempt, message["pid"], message["execution_timeout"])
        elif kind == "Limit":
            self._events.on_limit(attempt, message["execution_timeout"])
        elif kind == "ForkFailed":
            del host.attempts[attempt.ti_id]
            self._events.on_load_failed(attempt, "launch_error", f"The DAG host cannot fork: {message['error']}")
        elif kind == "Exited":
            del host.attempts[attempt.ti_id]
            host.last_used = time.monotonic()
            self._events.on_exited(attempt, Exit.of(message["status"], message["peak_rss_kb"]))

    def _on_loaded(self, host: Host, message: Message) -> None:
        host.loaded = True
        self._cancel_deadline(host)
        self._hand_over_output(host)
        waiting, host.waiting = host.waiting, []
        if message["threads"]:
            self._threaded.add(host.key)
            host.attempts.clear()
            self._retire(host)
            for attempt in waiting:
                self.launch(attempt)
            return
        for attempt in waiting:
            if attempt.ti_id in host.attempts:
                self._give(host, attempt)

    def _limit_import(self, host: Host) -> None:
        """Count from when the host's process is there: a zygote that takes long to start is not the fault of the file."""
        self._cancel_deadline(host)
        if host.pid and host.import_seconds and not host.loaded:
            host.deadline = self._loop.call_later(host.import_seconds, lambda: self._too_slow(host))

    def _too_slow(self, host: Host) -> None:
        limit = f"{host.import_seconds:g} s ([core] dagbag_import_timeout)"
        host.failure = f"Importing {host.key[2]} took longer than {limit}; the import was ended."
        signal_process(host.pid, signal.SIGKILL)

    def _cancel_deadline(self, host: Host) -> None:
        if host.deadline is not None:
            host.deadline.cancel()
            host.deadline = None

    def _hand_over_output(self, host: Host) -> None:
        """Give what the import printed to the attempts that waited for it."""
        text = os.pread(host.output, MAX_IMPORT_OUTPUT, 0).decode("utf-8", "backslashreplace")
        for attempt in host.waiting if text else []:
            self._events.on_import_output(attempt, text)

    def _living_zygote(self) -> socket.socket:
        if self._zygote_socket is None:
            mine, theirs = packet_pair()
            arguments = [sys.executable, "-m", "orchestrator.sdk.execution.host", "--fd", str(theirs.fileno())]
            arguments += ["--parent", str(os.getpid())]
            self._zygote = subprocess.Popen(arguments, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
            theirs.close()
            self._zygote_socket = mine
            self._loop.add(mine.fileno(), READABLE, lambda _events: self._zygote_ready())
        return self._zygote_socket

    def _zygote_ready(self) -> None:
        connection = self._zygote_socket
        packet = receive_packet(connection) if connection is not None else None
        if packet is None:
            self._forget_zygote()
            return
        message = packet[0]
        host = self._hosts.get(message["number"])
        if host is None:
            return
        if message["type"] == "HostStarted":
            host.pid = message["pid"]
            self._limit_import(host)
        else:
            self._host_exited(host, Exit.of(message["status"], message["peak_rss_kb"]))

    def _forget_zygote(self) -> None:
        if self._zygote_socket is not None:
            self._loop.remove(self._zygote_socket.fileno())
            self._zygote_socket.close()
        zygote, self._zygote, self._zygote_socket = self._zygote, None, None
        if zygote is None:
            return
        hosts = list(self._hosts.values())
        if hosts:
            log.warning("The zygote (pid %d) is gone; %d hosts go with it", zygote.pid, len(hosts))
        zygote.kill()
        kill_descendants(os.getpid())
        zygote.wait()
        for host in hosts:
            self._host_exited(host, Exit(None, signal.SIGKILL, None))

    def _host_exited(self, host: Host, end: Exit) -> None:
        if self._hosts.pop(host.number, None) is None:
            return
        self._host_ready(host)
        self._cancel_deadline(host)
        if not host.loaded:
            self._hand_over_output(host)
        if self._by_key.get(host.key) is host:
            del self._by_key[host.key]
        self._loop.remove(host.connection.fileno())
        host.connection.close()
        attempts, host.attempts = list(host.attempts.values()), {}
        for attempt in attempts:
            self._tell_host_exit(host, attempt, end)
        os.close(host.output)
        self._zygote_idle_since = time.monotonic()

    def _tell_host_exit(self, host: Host, attempt: Attempt, end: Exit) -> None:
        if host.once:
            self._events.on_exited(attempt, end)
        elif host.failure is not None:
            self._events.on_load_failed(attempt, host.cause, host.failure)
        elif not host.loaded and end.signal not in (signal.SIGKILL, signal.SIGTERM):
            how = f"exit code {end.code}" if end.signal is None else f"signal {end.signal}"
            text = f"Importing {host.key[2]} ended the process itself ({how})."
            self._events.on_load_failed(attempt, "dag_import_error", text)
        else:
            self._events.on_host_died(attempt, end)

    def _retire(self, host: Host) -> None:
        """Let a host end when its last attempt has; new attempts get another one."""
        host.retired = True
        if self._by_key.get(host.key) is host:
            del self._by_key[host.key]
        try:
            send_packet(host.connection, {"type": "Stop"})
        except BlockingIOError:
            self._loop.call_later(0.1, lambda: self._retire(host))
        except OSError:
            return

    def _make_room(self) -> None:
        idle = sorted((h for h in self._by_key.values() if not h.attempts), key=lambda h: h.last_used)
        for host in idle[: max(0, len(self._by_key) + 1 - self._settings.max_hosts)]:
            self._retire(host)

    def _tidy(self) -> None:
        """Retire hosts that are idle, old, too large or of an older file; end a zygote that has nothing to do."""
        self._loop.call_later(self._settings.tidy_seconds, self._tidy)
        now, settings = time.monotonic(), self._settings
        for host in list(self._by_key.values()):
            idle = not host.attempts and now - host.last_used > settings.host_idle_seconds
            old = now - host.born > settings.host_max_age_seconds
            if idle or old or rss_kb(host.pid) > settings.host_max_memory_mb * 1024:
                self._retire(host)
        if self._zygote_socket is not None and not self._hosts and now - self._zygote_idle_since > settings.host_idle_seconds:
            self._forget_zygote()
