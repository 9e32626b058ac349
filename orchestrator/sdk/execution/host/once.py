"""Decides how one attempt runs in a fresh interpreter: for files that start threads, and where no fork is wanted."""

from __future__ import annotations

import os
import socket
import traceback
from typing import Any

from orchestrator.sdk.execution.host.dag_host import execution_timeout
from orchestrator.sdk.execution.host.loading import load_dags, load_plugins, path_of, prepare_import_paths
from orchestrator.sdk.execution.host.task_process import run_attempt
from orchestrator.sdk.execution.supervisor.processes import die_with_parent
from orchestrator.sdk.execution.wire import receive_packet, send_packet


def run_once(connection: socket.socket, parent: int) -> int:
    """Receive Load and one Attempt, run it in this process, and end."""
    die_with_parent(parent)
    loading, attempt = receive_packet(connection), receive_packet(connection)
    if loading is None or attempt is None:
        return 1
    os.close(loading[1][0])
    ti_id = attempt[0]["ti_id"]
    send_packet(connection, {"type": "Forked", "ti_id": ti_id, "pid": os.getpid(), "execution_timeout": None})

    def load() -> dict[str, Any]:
        prepare_import_paths(loading[0]["paths"])
        path = path_of(loading[0])
        load_plugins(loading[0])
        dags = load_dags(path)
        limit = execution_timeout(dags, attempt[0])
        send_packet(connection, {"type": "Limit", "ti_id": ti_id, "execution_timeout": limit})
        return dags

    try:
        return run_attempt(load, *attempt)
    except BaseException:
        traceback.print_exc()
        return 1
