"""Decides how the process that tests a connection is started: without the platform's secrets, with a time limit."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any
from uuid import UUID

from orchestrator.config import conf
from runs.executors.supervisor_environment import execution_api_url, supervisor_environment
from runs.workload_tokens import issue_workload_token
from vault.connection_tests import masked_message

_COMMAND = [sys.executable, "-m", "orchestrator.sdk.execution.connection_probe"]


def start(test_id: UUID) -> subprocess.Popen[bytes]:
    """Start the test of a row; the process fetches it and reports by itself."""
    order = {"id": str(test_id), "token": issue_workload_token(test_id, None), "url": execution_api_url()}
    process = subprocess.Popen(
        _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=supervisor_environment(), start_new_session=True
    )
    assert process.stdin is not None  # noqa: S101
    with process.stdin as stdin:
        stdin.write(json.dumps(order).encode())
    return process


def test_at_once(conn_id: str, parts: dict[str, Any]) -> tuple[bool, str]:
    """Test these parts in a process of their own and wait for it; returns success and a sentence without secrets."""
    seconds = conf.get("connection_test", "timeout")
    order = json.dumps({"connection": {"conn_id": conn_id, **parts}}).encode()
    try:
        done = subprocess.run(
            _COMMAND, input=order, capture_output=True, env=supervisor_environment(), timeout=seconds, check=False
        )
        answer = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return False, f"The test took longer than {seconds} seconds ([connection_test] timeout)."
    except ValueError:
        return False, f"The process that tested the connection ended with code {done.returncode} and without an answer."
    return bool(answer["status"]), masked_message(parts, answer["message"]) or ""
