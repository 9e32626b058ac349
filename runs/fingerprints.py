"""Decides when two failures are the same one: the same error, whatever numbers, ids and indexes its text names."""

from __future__ import annotations

import re

# Looked at of a text: what tells errors apart stands at its beginning.
LOOKED_AT = 400
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HEX = re.compile(r"\b(?:0x)?(?=[0-9a-fA-F]*[0-9])[0-9a-fA-F]{8,}\b")
_NUMBER = re.compile(r"\d+")
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?:: |$)")


def fingerprint(cause: str | None, detail: str | None, task_id: str = "") -> str:
    """Return what equal failures have in common.

    An exception is the same in every task; an exit code or a signal says so little that it is the same only within a task.
    """
    text = first_line(detail)[:LOOKED_AT]
    for pattern in (_UUID, _HEX, _NUMBER):
        text = pattern.sub("#", text)
    place = "" if is_exception(detail) else task_id
    return f"{cause or ''}|{place}|{text}"


def first_line(detail: str | None) -> str:
    """Return the first line of a text that holds anything."""
    return next((line.strip() for line in (detail or "").splitlines() if line.strip()), "")


def is_exception(detail: str | None) -> bool:
    """Whether a text begins with the type of an exception, as ``ValueError: no rows``."""
    return bool(_EXCEPTION.match(first_line(detail)))


def type_and_message(detail: str | None) -> tuple[str, str]:
    """``ValueError: no rows`` → ``("ValueError", "no rows")``; the type is empty for what is no exception."""
    text = (detail or "").strip()
    if not is_exception(text):
        return "", text
    kind, _, message = text.partition(": ")
    return kind, message
