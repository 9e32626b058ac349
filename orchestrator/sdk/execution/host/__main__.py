"""Decides which kind of process `python -m orchestrator.sdk.execution.host` becomes."""

from __future__ import annotations

import argparse
import socket
import sys


def main(arguments: list[str]) -> int:
    """Run a zygote, or one attempt in this fresh interpreter (`--once`)."""
    parser = argparse.ArgumentParser(prog="python -m orchestrator.sdk.execution.host")
    parser.add_argument("--fd", type=int, required=True, help="socket to the supervisor")
    parser.add_argument("--once", action="store_true", help="run one attempt, then end")
    parser.add_argument("--parent", type=int, required=True, help="process id of the parent")
    options = parser.parse_args(arguments)
    connection = socket.socket(fileno=options.fd)
    connection.set_inheritable(False)
    if options.once:
        from orchestrator.sdk.execution.host.once import run_once
        from orchestrator.sdk.execution.host.task_process import leave

        leave(run_once(connection, options.parent))
    from orchestrator.sdk.execution.host.zygote import Zygote

    return Zygote(connection, options.parent).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
