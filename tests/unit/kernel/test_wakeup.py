"""Wake-ups through local sockets."""

import os
import tempfile
from pathlib import Path

import pytest

from orchestrator.kernel.wakeup import SocketWakeup, send, socket_directory


def test_a_sent_wake_up_ends_the_wait(tmp_path: Path) -> None:
    wakeup = SocketWakeup(str(tmp_path), "scheduler")
    assert send(str(tmp_path), "scheduler") == 1
    assert wakeup.wait(30) == []
    assert wakeup.woken
    wakeup.close()


def test_many_wake_ups_count_as_one(tmp_path: Path) -> None:
    wakeup = SocketWakeup(str(tmp_path), "scheduler")
    for _ in range(500):
        assert send(str(tmp_path), "scheduler") == 1
    wakeup.wait(30)
    assert wakeup.woken
    wakeup.wait(0)
    assert not wakeup.woken
    wakeup.close()


def test_another_topic_does_not_wake(tmp_path: Path) -> None:
    wakeup = SocketWakeup(str(tmp_path), "scheduler")
    assert send(str(tmp_path), "triggerer") == 0
    wakeup.wait(0)
    assert not wakeup.woken
    wakeup.close()


def test_a_readable_descriptor_ends_the_wait_and_is_returned(tmp_path: Path) -> None:
    wakeup = SocketWakeup(str(tmp_path), "scheduler")
    reader, writer = os.pipe()
    os.write(writer, b"x")
    assert wakeup.wait(30, [reader]) == [reader]
    assert not wakeup.woken
    wakeup.close()


def test_the_socket_of_a_dead_process_is_removed(tmp_path: Path) -> None:
    dead = SocketWakeup(str(tmp_path), "scheduler")
    dead._socket.close()
    assert dead.path.exists()
    assert send(str(tmp_path), "scheduler") == 0
    assert not dead.path.exists()


def test_a_closed_receiver_leaves_no_file(tmp_path: Path) -> None:
    wakeup = SocketWakeup(str(tmp_path), "scheduler")
    wakeup.close()
    assert list(tmp_path.iterdir()) == []


def test_sending_without_a_directory_wakes_nobody(tmp_path: Path) -> None:
    assert send(str(tmp_path / "missing"), "scheduler") == 0


def test_a_path_too_long_for_a_socket_falls_back_to_a_short_one(tmp_path: Path) -> None:
    long = str(tmp_path / ("x" * 120))
    wakeup = SocketWakeup(long, "dag_processor")
    assert len(os.fsencode(str(wakeup.path))) < 108
    assert send(long, "dag_processor") == 1
    assert socket_directory(long) != socket_directory(long + "y")
    wakeup.close()
    wakeup.path.parent.rmdir()


def test_a_temporary_folder_with_a_long_path_does_not_keep_the_socket_from_opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = str(tmp_path / ("long" * 30))
    monkeypatch.setattr(tempfile, "tempdir", long)
    wakeup = SocketWakeup(long, "scheduler")
    assert send(long, "scheduler") == 1
    wakeup.close()
    wakeup.path.parent.rmdir()
