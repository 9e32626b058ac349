"""An import that takes too long is ended, and nothing but the process that imports (C11)."""

import os
import signal
import socket

import pytest

from orchestrator.sdk.execution.supervisor.hosts import Host, HostEvents, HostPool
from orchestrator.sdk.execution.supervisor.loop import Loop
from orchestrator.sdk.execution.supervisor.processes import signal_process, signal_task
from orchestrator.sdk.execution.supervisor.settings import SupervisorSettings
from orchestrator.sdk.execution.wire import packet_pair, send_packet


def test_the_time_for_an_import_begins_when_its_process_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine it was over before the zygote had said which process imports, and the supervisor killed its own group."""
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: killed.append((pid, number)))
    pool = HostPool(Loop(), SupervisorSettings(execution_api_url="", base_log_folder=""), HostEvents())
    ours, zygote = packet_pair()
    with ours, zygote, socket.socket() as connection:
        host = Host(1, ("b", None, "/x.py", (), ()), connection, os.memfd_create("output"), once=False, import_seconds=1.0)
        pool._hosts[1], pool._zygote_socket = host, ours
        pool._limit_import(host)
        assert host.deadline is None
        send_packet(zygote, {"type": "HostStarted", "number": 1, "pid": 4711})
        pool._zygote_ready()
        assert host.deadline is not None
        assert host.deadline.callback is not None
        host.deadline.callback()
        os.close(host.output)
    assert killed == [(4711, signal.SIGKILL)]
    assert "took longer than 1 s" in (host.failure or "")


def test_no_signal_goes_to_a_process_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the system, 0 means the caller's own group and -1 everybody."""
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append(pid))
    monkeypatch.setattr(os, "killpg", lambda group, number: sent.append(group))
    for pid in (0, -1):
        signal_process(pid, signal.SIGKILL)
        assert not signal_task(pid, signal.SIGKILL)
    assert sent == []
