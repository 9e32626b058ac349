"""Decides how one callback or alert runs in a process of its own: prepare, call, say what came out of it.

The process gets its workload as first message and says ``CallbackDone`` once, whatever the author's code raises; without
that word the supervisor reports a failure. An alert needs no DAG file, so this process imports none for it.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import traceback
from typing import Any

from orchestrator.sdk.execution.frames import Channel, ChannelClosed


def main(arguments: list[str]) -> int:
    """Run one delivery over the channel on ``--fd``."""
    parser = argparse.ArgumentParser(prog="python -m orchestrator.sdk.execution.callback_process")
    parser.add_argument("--fd", type=int, required=True, help="socket to the supervisor")
    parser.add_argument("--parent", type=int, required=True, help="process id of the supervisor")
    options = parser.parse_args(arguments)
    from orchestrator.sdk.execution.supervisor.processes import die_with_parent

    die_with_parent(options.parent)
    connection = socket.socket(fileno=options.fd)
    connection.set_inheritable(False)
    channel = Channel(connection)
    try:
        workload = channel.receive()
    except ChannelClosed:
        return 0  # the supervisor does not want it any more
    return run(workload, channel)


def run(workload: dict[str, Any], channel: Any) -> int:
    """Run the workload and report through ``channel``; returns the exit code. The report's ``ok`` is what counts."""
    from orchestrator.sdk import log as task_log
    from orchestrator.sdk.execution.channel import GuardedChannel, set_channel

    guarded = GuardedChannel(channel)
    set_channel(guarded)
    if workload.get("environment"):
        from orchestrator.config import conf

        os.environ.update(workload["environment"])
        conf.reload()
    undo = task_log.install(guarded, "INFO")
    try:
        report = _carried_out(workload)
    finally:
        undo()
        set_channel(None)
    guarded.send({"type": "CallbackDone", **report})
    sys.stdout.flush()
    sys.stderr.flush()
    return 0 if report["ok"] else 1


def _carried_out(workload: dict[str, Any]) -> dict[str, Any]:
    import logging

    from orchestrator.sdk.execution.deliveries import deliver

    try:
        return deliver(workload)
    except BaseException as error:
        logging.getLogger("airflow.callback").error("The callback failed", exc_info=error)
        text = "".join(traceback.format_exception(error))
        return {"ok": False, "output": text[-8000:], "done": []}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
