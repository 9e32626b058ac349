"""Decides how the colours of a terminal look on a page: spans of known classes; every other escape is taken away."""

from __future__ import annotations

import re
from html import escape

_ESCAPE = re.compile(r"\x1b(?:\[([0-9;:]*)m|\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# Marks that turn the direction of text would let a line look like another one.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_COLOURS = {**{code: f"c{code - 30}" for code in range(30, 38)}, **{code: f"c{code - 90}" for code in range(90, 98)}}
_STYLES = {1: "strong", 3: "italic", 4: "under"}


def ansi_html(text: str) -> str:
    """Return safe HTML: ``\\x1b[31mred`` → ``<span class="c1">red</span>``."""
    if "\x1b" not in text:
        return _safe(text)
    made, classes, place = [], dict[str, str](), 0
    for found in _ESCAPE.finditer(text):
        made.append(_span(text[place : found.start()], classes))
        place = found.end()
        if found[1] is not None:
            classes = _changed(classes, found[1])
    made.append(_span(text[place:], classes))
    return "".join(made)


def plain_text(text: str) -> str:
    """Return a text without escapes and control characters."""
    return _TURNING.sub("\N{REPLACEMENT CHARACTER}", _CONTROL.sub("\N{REPLACEMENT CHARACTER}", _ESCAPE.sub("", text)))


def _safe(text: str) -> str:
    return escape(plain_text(text))


def _span(text: str, classes: dict[str, str]) -> str:
    if not text:
        return ""
    return f'<span class="{" ".join(classes.values())}">{_safe(text)}</span>' if classes else _safe(text)


def _changed(classes: dict[str, str], codes: str) -> dict[str, str]:
    found = dict(classes)
    numbers = [int(code) if code.isdecimal() and len(code) < 4 else 0 for code in re.split("[;:]", codes)]
    if 38 in numbers or 48 in numbers:  # colours of a larger palette keep the text's own colour
        return found
    for number in numbers:
        if number == 0:
            found = {}
        elif number in _COLOURS:
            found["colour"] = _COLOURS[number]
        elif number in _STYLES:
            found[_STYLES[number]] = _STYLES[number]
        elif number == 39:
            found.pop("colour", None)
    return found
