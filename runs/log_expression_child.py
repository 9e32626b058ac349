"""Decides, in a process of its own and without the platform, where an expression matches: see ``runs/log_expression.py``.

A line of JSON comes in for each that goes out: first the expression for what is wrong with it, then texts for their spans.
"""

import io
import json
import re
import resource
import sys

MOST_BYTES = 256 * 1024 * 1024
# Longer than the other side waits before it ends this process: for the case that the other side is no more.
MOST_CPU_SECONDS = 10


def main() -> None:
    """Answer until the other side closes."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_SECONDS, MOST_CPU_SECONDS))
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogatepass")
    try:
        expression = re.compile(json.loads(sys.stdin.readline()), re.IGNORECASE | re.MULTILINE)
    except (re.error, RecursionError, OverflowError) as error:
        _say(str(error))
        return
    _say(None)
    for line in sys.stdin:
        _say([found.span() if (found := expression.search(text)) else None for text in json.loads(line)])


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


main()
