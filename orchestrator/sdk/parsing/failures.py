"""Decides how an error of a DAG file is told to its author."""

from __future__ import annotations

import os
import signal
import traceback
from types import TracebackType

from orchestrator.sdk.parsing.protocol import TIMEOUT_OPTION, ParseRequest

TAIL_LINES = 60
_OURS = "/orchestrator/sdk/parsing/"


class ParseTimeout(BaseException):
    """Raised by the timer inside the file's own code, so that the traceback shows where the time went.

    Not an ``Exception``: a file's ``except Exception`` must not swallow it.
    """


def describe(error: BaseException, request: ParseRequest) -> str:
    """Return the text of an import error: a cause that Python does not name itself, then the traceback."""
    text = _traceback(error, request)
    if isinstance(error, ParseTimeout):
        return f"{timeout_cause(request)} The traceback shows where it was.\n{text}"
    if isinstance(error, SystemExit):
        return (
            f"{request.path} called sys.exit({error.code!r}) while it was imported; a DAG file must not end the process.\n{text}"
        )
    if isinstance(error, KeyboardInterrupt):
        return f"{request.path} raised KeyboardInterrupt while it was imported.\n{text}"
    return text


def describe_dag(error: BaseException, dag_id: str, request: ParseRequest) -> str:
    """Return the text for one DAG that cannot be described: a traceback only where the author's own code raised."""
    frames = traceback.extract_tb(error.__traceback__)
    if any(frame.filename.startswith(request.bundle_path) for frame in frames):
        return f"{request.path}: DAG {dag_id!r}:\n{describe(error, request)}"
    return f"{request.path}: DAG {dag_id!r}: {type(error).__name__}: {error}"


def timeout_cause(request: ParseRequest) -> str:
    """Return the sentence for a file that takes too long."""
    return (
        f"{request.path} did not finish importing within {request.timeout_seconds:g} s ({TIMEOUT_OPTION}). "
        "Move slow work at the top level of the file into tasks."
    )


def describe_exit(status: int, request: ParseRequest, stderr_tail: str, timed_out: bool) -> str:
    """Return the text for a parse process that ended without an answer; ``status`` is that of ``waitpid``."""
    if timed_out:
        cause = timeout_cause(request)
    elif (code := os.waitstatus_to_exitcode(status)) < 0:
        cause = f"{request.path} was ended by signal {_signal_name(-code)} while it was imported."
    else:
        cause = f"{request.path} ended its process with exit code {code} while it was imported (os._exit or a C library)."
    lines = [line for line in stderr_tail.splitlines() if _OURS not in line and '  File "<frozen ' not in line]
    tail = "\n".join(lines[-TAIL_LINES:])
    return f"{cause}\nLast output:\n{tail}" if tail else cause


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _traceback(error: BaseException, request: ParseRequest) -> str:
    error = error.with_traceback(_from_author(error.__traceback__))
    limit = -request.traceback_depth if request.traceback_depth else None
    return "".join(traceback.format_exception(error, limit=limit))


def _from_author(trace: TracebackType | None) -> TracebackType | None:
    """Drop the leading calls that belong to the import machinery and to this package."""
    while trace is not None and _is_ours(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return trace


def _is_ours(filename: str) -> bool:
    return filename.startswith("<frozen importlib") or _OURS in filename
