"""Decides how a number of things is said in a sentence."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 run``, ``1,240 runs``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
