"""Decides how `python -m orchestrator.sdk.execution.supervisor` starts."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import socket
import sys

from orchestrator.sdk.execution.supervisor.core import Supervisor
from orchestrator.sdk.execution.supervisor.settings import VARIABLE, SupervisorSettings


def main(arguments: list[str]) -> int:
    """Read the settings, take over the control socket, and serve."""
    parser = argparse.ArgumentParser(prog="python -m orchestrator.sdk.execution.supervisor")
    parser.add_argument("--control-fd", type=int, required=True, help="socket to the executor")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s [supervisor %(process)d] %(message)s")
    try:
        settings = SupervisorSettings.from_environment(os.environ)
    except ValueError as error:
        logging.getLogger(__name__).error("The supervisor cannot start: %s", error)
        return 2
    os.environ.pop(VARIABLE, None)
    connection = socket.socket(fileno=options.control_fd)
    connection.set_inheritable(False)
    gc.freeze()
    return Supervisor(settings, connection).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
