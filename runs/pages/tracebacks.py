"""Decides how an exception in a log looks: what it says first, then its frames, those of libraries folded away."""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import Any

from runs.pages.ansi import plain_text

DEEPEST = 4
MOST_MEMBERS = 20
_OF_LIBRARIES = ("/site-packages/", "/dist-packages/", "/lib/python3.", "/orchestrator/sdk/", "<frozen ")


def is_own(frame: Any) -> bool:
    """Return whether a frame is the author's code and not a library's or the platform's."""
    name = str(frame.get("filename", "")) if isinstance(frame, dict) else ""
    return bool(name) and not any(part in name for part in _OF_LIBRARIES)


def own_frame(record: dict[str, Any]) -> dict[str, Any] | None:
    """Return the last frame of the author's code, where the exception of a record came from."""
    errors = record.get("error_detail")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    frames = [frame for frame in first.get("frames") or () if is_own(frame)]
    return frames[-1] if frames else None


def errors_html(errors: Any, depth: int = 0) -> str:
    """Return the exception and what led to it, as safe HTML."""
    made, said = [], ""
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, dict):
            made.append(f'<div class="error">{said}{_head(error)}{_frames(error)}{_members(error, depth)}</div>')
            said = f'<p class="led">{"caused by" if error.get("is_cause") else "while this was handled"}</p>'
    return "".join(made)


def _head(error: dict[str, Any]) -> str:
    text, notes = plain_text(str(error.get("exc_value") or "")), error.get("exc_notes")
    more = "".join(f"\n{_text(note)}" for note in notes) if isinstance(notes, list) else ""
    return f"<strong>{_text(error.get('exc_type') or 'Exception')}</strong>{': ' if text else ''}{escape(text)}{more}"


def _frames(error: dict[str, Any]) -> str:
    frames = error.get("frames")
    if not isinstance(frames, list) or not frames:
        return ""
    made = []
    for own, some in groupby((frame for frame in frames if isinstance(frame, dict)), key=is_own):
        group = list(some)
        rows = "".join(f"<li>{_place(frame)}</li>" for frame in group)
        if own:
            made.append(f'<ol class="frames own">{rows}</ol>')
        else:
            count = f"{len(group)} frame{'s' if len(group) > 1 else ''} of libraries"
            made.append(f'<details><summary>{count}</summary><ol class="frames">{rows}</ol></details>')
    return "".join(made)


def _place(frame: dict[str, Any]) -> str:
    return f"{_text(frame.get('filename'))}:{_text(frame.get('lineno'))} in {_text(frame.get('name'))}"


def _members(error: dict[str, Any], depth: int) -> str:
    members = error.get("exceptions")
    if not isinstance(members, list) or depth >= DEEPEST:
        return ""
    made = [f'<div class="member">{errors_html(member, depth + 1)}</div>' for member in members[:MOST_MEMBERS]]
    left = len(members) - MOST_MEMBERS
    return "".join(made) + (f"<p>and {left} more</p>" if left > 0 else "")


def _text(value: Any) -> str:
    return escape(plain_text(str(value if value is not None else "?")))
