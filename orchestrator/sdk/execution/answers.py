"""Decides what an answer of the Execution API means: done, repeat with backoff, or give up.

| answer                                | meaning                 | what happens                                            |
|---------------------------------------|-------------------------|---------------------------------------------------------|
| 2xx                                   | done                    | handed over                                             |
| 301, 302, 303, 307, 308               | a proxy, or a wrong URL | never followed (a token would leak); repeated           |
| 401                                   | token not accepted      | repeated: keys may be rotating                          |
| 403                                   | not allowed             | handed over: an error for the task                      |
| 404, 409, 410                         | gone, conflict          | handed over: a start is rejected, an attempt is stopped |
| 400, 405, 422                         | the request is wrong    | handed over: an error for the task                      |
| 413                                   | too large               | sent alone once, then handed over                       |
| 429, 500, 502, 503, 504, other 5xx    | trouble on the server   | repeated; `Retry-After` is honoured                     |
| HTML, broken JSON, closed socket, ... | no answer (status 0)    | repeated                                                |

Repeated means: backoff from 0.1 s to 15 s with jitter, for as long as the patience of the request lasts. A heartbeat is not
repeated (the next one comes anyway), a start and a request of a task have minutes, a final report has no limit. What fits
none of the lines is handed over.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

REPEATED = frozenset({0, 301, 302, 303, 307, 308, 401, 408, 425, 429})
RETRY_AFTER_CAP_SECONDS = 60.0


class Patience(Enum):
    """For how many seconds an answer of the repeated kind is not taken as final."""

    BEAT = 0.0
    NOTE = 60.0
    TASK = 300.0
    START = 300.0001  # a start and a request of a task wait equally long; the value only keeps the members apart
    REPORT = float("inf")


@dataclass(slots=True, frozen=True)
class Answer:
    """Status (0: none came), decoded body, and headers with lower-case names."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def ok(self) -> bool:
        """Whether the server did what was asked."""
        return 200 <= self.status < 300

    @property
    def detail(self) -> dict[str, Any]:
        """The `detail` object of an error body, or {} if it has another form."""
        detail = self.body.get("detail") if isinstance(self.body, dict) else None
        return detail if isinstance(detail, dict) else {}

    @property
    def lease_is_kept(self) -> bool:
        """Whether the server says that nobody can take an attempt over now (its database is away)."""
        return self.status == 503 and self.detail.get("reason") == "database_unavailable"


def must_repeat(answer: Answer, patience: Patience, waited_seconds: float, alone: bool) -> bool:
    """Return whether to send the request again.

    Args:
        waited_seconds: since the request was made.
        alone: whether the answer is about this request only, not about a batch that it shared.
    """
    if answer.status in (413, 422) and not alone:
        return True
    if answer.status in REPEATED or answer.status >= 500 or (not alone and not answer.ok):
        return waited_seconds < patience.value
    return False


def retry_after(answer: Answer) -> float:
    """Return the seconds that the server asks to wait, at most 60; 0 if it does not say."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    try:
        return min(RETRY_AFTER_CAP_SECONDS, max(0.0, float(headers.get("retry-after", 0))))
    except ValueError:
        return 0.0
