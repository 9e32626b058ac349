"""Decides how texts of unknown origin fit into columns of any database."""

from __future__ import annotations


def storable(text: str, longest: int | None = None) -> str:
    """Return the text without what a database refuses: NUL characters and lone surrogates become U+FFFD; cut to ``longest``."""
    clean = text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8") if _is_odd(text) else text
    return clean if longest is None or len(clean) <= longest else clean[: longest - 3] + "..."


def storable_or_none(text: object, longest: int | None = None) -> str | None:
    """Return None for None, else the storable text."""
    return None if text is None else storable(str(text), longest)


def _is_odd(text: str) -> bool:
    if "\x00" in text:
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False
