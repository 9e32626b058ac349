"""Decides what one short-lived parse process does: import one file, describe its DAGs, answer, end."""

from __future__ import annotations

import faulthandler
import hashlib
import logging
import os
import re
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from orchestrator.sdk.parsing.collecting import collect
from orchestrator.sdk.parsing.extras import serve_extra
from orchestrator.sdk.parsing.failures import ParseTimeout, describe
from orchestrator.sdk.parsing.import_cost import ImportCost
from orchestrator.sdk.parsing.inputs import Inputs
from orchestrator.sdk.parsing.log_lines import JsonLines, open_log
from orchestrator.sdk.parsing.protocol import LIMIT_MARK, ParseRequest, ParseResponse
from orchestrator.sdk.plugins.loading import configure
from orchestrator.sdk.plugins.loading import plugins as load_plugins
from orchestrator.sdk.policies import import_timeout

HARD_TIMEOUT_MARGIN_SECONDS = 1.0
_ENCODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.MULTILINE)


def parse(request: ParseRequest) -> ParseResponse:
    """Parse one file in this process; whatever the file does in Python becomes an ``import_error``."""
    response = ParseResponse(id=request.id)
    if request.kind != "file":
        _prepare_path(request)
        return serve_extra(request, response)
    try:
        source = Path(request.path).read_bytes()
    except OSError as error:
        response.import_error = f"{request.path} cannot be read: {error.strerror or error}"
        return response
    response.content_hash = hashlib.sha256(source).hexdigest()
    response.source = "" if request.path.endswith(".zip") else decode_source(source)
    _prepare_path(request)
    inputs = Inputs(request.bundle_path, request.path)
    inputs.watch()
    _arm(request.timeout_seconds)
    cost = ImportCost(request.path)
    try:
        load_plugins()
        with cost.watching():
            collect(request, source, response)
    except ParseTimeout as error:  # the timer fired between the file's code and the handler around it
        response.import_error = describe(error, request)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    response.modules = inputs.hashes()
    response.reads_outside = inputs.reads_outside
    response.warnings += _thread_warnings(request)
    if slow := cost.lines():
        response.warnings.append(f"{request.relative_fileloc} is slow to import: {'; '.join(slow)}; import it inside of tasks")
        response.import_error = _with_cost(response.import_error, slow)
    return response


def run_child(request: ParseRequest, result_fd: int) -> None:
    """The whole life of a forked parse process; never returns."""
    code = 1
    try:
        _log_to(request.log_path)
        _prepare_path(request)
        _take_own_limit(request, result_fd)
        if request.timeout_seconds:
            # Where the signal handler cannot run (a loop in C, an `except BaseException: pass`) this thread, which needs no
            # interpreter, writes all stacks to stderr and ends the process.
            faulthandler.dump_traceback_later(request.timeout_seconds + HARD_TIMEOUT_MARGIN_SECONDS, exit=True)
        faulthandler.enable()
        line = parse(request).line()
        faulthandler.cancel_dump_traceback_later()
        _write_all(result_fd, line)
        code = 0
    except BaseException:
        logging.getLogger(__name__).exception("The parse process failed")
    finally:
        _flush()
        os._exit(code)  # without exit handlers and without waiting for the file's threads


def _take_own_limit(request: ParseRequest, result_fd: int) -> None:
    """Ask the cluster's policies for the time of this file; another one is told to the parent, which kills late processes."""
    if request.kind != "file":
        return
    try:
        limit = import_timeout(request.path, request.timeout_seconds)
    except Exception:
        logging.getLogger(__name__).exception("get_dagbag_import_timeout failed; the file gets the usual time")
        return
    if limit != request.timeout_seconds:
        request.timeout_seconds = limit
        _write_all(result_fd, LIMIT_MARK + f"{limit}\n".encode())


def decode_source(source: bytes) -> str:
    """Return the text of a file in the encoding that it declares; bytes that do not fit become replacement characters."""
    declared = _ENCODING.search(b"\n".join(source.split(b"\n", 2)[:2]))
    try:
        return source.decode(declared[1].decode() if declared else "utf-8", "replace").removeprefix("\ufeff")
    except LookupError:
        return source.decode("utf-8", "replace")


def _prepare_path(request: ParseRequest) -> None:
    sys.dont_write_bytecode = True  # the cache compares whole seconds and sizes only: too coarse for a file under edit
    for folder in [request.bundle_path, *request.sys_path]:
        if folder not in sys.path:
            sys.path.append(folder)
    configure(request.plugins_folder, request.examples_folder, request.ignore_syntax)


def _arm(seconds: float) -> None:
    def on_alarm(number: int, frame: FrameType | None) -> None:
        raise ParseTimeout(f"{seconds:g} s are over")

    signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _with_cost(error: str, slow: list[str]) -> str:
    """A file that ran out of time says where the time went."""
    return f"{error}\nSlow imports: {'; '.join(slow)}" if "dagbag_import_timeout" in error else error


def _thread_warnings(request: ParseRequest) -> list[str]:
    names = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    if not names:
        return []
    return [
        f"{request.relative_fileloc} starts threads while it is imported ({', '.join(sorted(names)[:5])}); "
        "its tasks start slower because a process with threads cannot be forked"
    ]


def _log_to(path: str) -> None:
    logging.basicConfig(level=logging.INFO, handlers=[JsonLines(open_log(path))], force=True)
    logging.captureWarnings(True)


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # noqa: S112  a file may have closed or replaced the stream
            continue
