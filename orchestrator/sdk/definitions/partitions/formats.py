"""Decides how the parts of a date are found again in a key whose format ``strptime`` cannot read; pure."""

from __future__ import annotations

import re
from functools import lru_cache

_DIRECTIVES = {"%Y": r"\d{4}"} | dict.fromkeys(("%m", "%d", "%H", "%M", "%S", "%V", "%U", "%W"), r"\d{2}")
_TOKEN = re.compile(r"%[a-zA-Z]|\{\w+\}|.", re.DOTALL)


@lru_cache(maxsize=64)
def reader(pattern: str) -> re.Pattern[str]:
    """Return what finds the parts of a key by the letters of their directives, and a quarter beside them."""
    parts: list[str] = []
    for word in _TOKEN.findall(pattern):
        if word in _DIRECTIVES:
            parts.append(f"(?P<{word[1]}>{_DIRECTIVES[word]})")
        elif word == "{quarter}":
            parts.append("(?P<quarter>[1-4])")
        else:
            parts.append(r"\w+" if word[0] == "{" and len(word) > 2 else re.escape(word))
    return re.compile("".join(parts))
