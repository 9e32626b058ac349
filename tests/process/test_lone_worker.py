"""A server without gunicorn's arbiter, as standalone runs it: one that hangs ends, so that its keeper starts it again (C28)."""

import os
import socket
import subprocess
import sys
from pathlib import Path

from tests.oracle import REPOSITORY

# The loop itself stands still, as under a lock of the interpreter that nobody gives back.
HANGING = """
import os, socket, sys, threading
import django
django.setup()
from orchestrator import server
server.WATCHDOG_SECONDS = 0.1
def stand_still(worker, listener):
    threading.Event().wait()
server.LoneWorker.accept = stand_still
server.serve(socket.socket(fileno=int(sys.argv[1])), ("execution",), 1, is_kept=True)
"""


def test_a_server_whose_loop_stands_still_says_where_and_ends(tmp_path: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    env = os.environ | {
        "AIRFLOW_HOME": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "orchestrator.settings",
        "AIRFLOW__API__WORKER_TIMEOUT": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", HANGING, str(listener.fileno())],
        cwd=REPOSITORY,
        env=env,
        pass_fds=[listener.fileno()],
        stderr=subprocess.PIPE,
        text=True,
    )
    with listener, socket.create_connection(listener.getsockname()):
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Timeout" in said
    assert "stand_still" in said
