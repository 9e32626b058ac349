"""Decides how the process that runs triggers starts: ``python -m orchestrator.sdk.execution.triggers``."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys


def main(arguments: list[str]) -> int:
    """Run triggers until the triggerer closes the socket."""
    parser = argparse.ArgumentParser(prog="python -m orchestrator.sdk.execution.triggers")
    parser.add_argument("--fd", type=int, required=True, help="socket to the triggerer")
    parser.add_argument("--parent", type=int, required=True, help="process id of the triggerer")
    options = parser.parse_args(arguments)
    from orchestrator.sdk.execution.supervisor.processes import die_with_parent

    die_with_parent(options.parent)
    # The triggerer decides when to stop; a Ctrl-C on the terminal reaches it too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = socket.socket(fileno=options.fd)
    connection.set_inheritable(False)

    from orchestrator.sdk.execution.host.loading import prepare_import_paths
    from orchestrator.sdk.execution.triggers.runner import run

    prepare_import_paths([path for path in os.environ.get("ORCHESTRATOR_TRIGGER_PATHS", "").split(os.pathsep) if path])
    return run(connection)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
