"""Decides how long to wait after the n-th failure."""

import random


def delay(attempt: int, base: float, cap: float, jitter: float = 0.0) -> float:
    """Seconds to wait after failure number ``attempt`` (1 is the first): ``base`` doubled each time, at most ``cap``.

    ``jitter`` is the share by which the result varies both ways, so that many do not come back at once; the result
    stays within ``cap``. Doubling stops at the cap, so no attempt number is too large.
    """
    seconds = base
    for _ in range(1, attempt):
        if seconds >= cap:
            break
        seconds *= 2
    seconds = min(seconds, cap)
    if jitter:
        seconds *= 1 + random.uniform(-jitter, jitter)  # noqa: S311
    return max(0.0, min(seconds, cap))
