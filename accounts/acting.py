"""Decides what is known of the request that acts: its id, the reason given, the API token used; for the audit log."""

import uuid
from contextvars import ContextVar
from dataclasses import dataclass

ID_HEADER = "X-Request-ID"
REASON_HEADER = "X-Audit-Reason"
_LONGEST_ID = 64
LONGEST_REASON = 1000


@dataclass(slots=True)
class Facts:
    """What the audit log notes beside the actor; all empty outside of a request."""

    request_id: str = ""
    reason: str = ""
    token_name: str = ""


_NOTHING = Facts()
_facts: ContextVar[Facts] = ContextVar("request_facts", default=_NOTHING)


def facts() -> Facts:
    """Return the facts of the present request."""
    return _facts.get()


def note_token(name: str) -> None:
    """Note that the present request uses an API token."""
    if (known := _facts.get()) is not _NOTHING:
        known.token_name = name


def begin(request_id: str, reason: str) -> Facts:
    """Set the facts for a request; an id that is no plain text of 64 characters at most is replaced by a new one."""
    is_plain = 0 < len(request_id) <= _LONGEST_ID and request_id.isascii() and request_id.isprintable()
    made = Facts(request_id if is_plain else uuid.uuid4().hex, reason.strip()[:LONGEST_REASON])
    _facts.set(made)
    return made


def end() -> None:
    """Forget the request."""
    _facts.set(_NOTHING)
