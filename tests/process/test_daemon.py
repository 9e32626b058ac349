"""A service in the background: its pid, its output, and no second one beside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.architecture.source import REPOSITORY
from tests.waiting import wait_until

SERVICE = """
import signal, sys
from orchestrator.management.daemon import begin
begin("thing", {"daemon": True, "pid": None, "stdout": None, "stderr": None, "log_file": None})
print("begins", flush=True)
print("says", file=sys.stderr, flush=True)
signal.sigwait({signal.SIGTERM})
"""


def start(home: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "AIRFLOW_HOME": str(home), "DJANGO_SETTINGS_MODULE": "orchestrator.settings"}
    code = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})\n" + SERVICE
    return subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )


def test_a_daemon_leaves_the_terminal_and_refuses_a_second(tmp_path: Path) -> None:
    pid_file, out, err = (tmp_path / f"airflow-thing.{end}" for end in ("pid", "out", "err"))
    first = start(tmp_path)
    assert (first.returncode, "In the background" in first.stdout) == (0, True)
    wait_until(lambda: err.exists() and err.read_text() == "says\n")
    pid = int(pid_file.read_text())
    assert out.read_text() == "begins\n"
    assert os.getsid(pid) != os.getsid(0)
    assert out.stat().st_mode & 0o077 == 0
    second = start(tmp_path)
    assert second.returncode == 1
    assert f"names process {pid}, which is alive" in second.stderr
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not pid_file.exists())
