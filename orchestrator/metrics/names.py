"""Decides the names under which metrics leave: Airflow's, with tags or with the tags in the name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.metrics.catalogue import METRICS

Tags = tuple[tuple[str, str], ...]

_UNSAFE = re.compile(r"[^A-Za-z0-9_.\-]")


def safe(text: str) -> str:
    """Return a name that every server takes: what is no letter, digit, point, dash or underscore becomes an underscore."""
    return _UNSAFE.sub("_", text)


def legacy(name: str, tags: Tags) -> tuple[str, Tags] | None:
    """Return the older name of a metric with the tags that are not in it, None where it has none.

    A point in a value becomes two underscores there, as in Airflow: points are what parts the name.
    """
    metric = METRICS.get(name)
    if metric is None or metric.legacy is None:
        return None
    try:
        older = metric.legacy.format_map({key: safe(value.replace(".", "__")) for key, value in tags})
    except KeyError:
        return None
    return older, tuple(pair for pair in tags if f"{{{pair[0]}}}" not in metric.legacy)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which metrics leave: regular expressions for a part of the name in small letters; an allow list makes the other void."""

    allowed: tuple[re.Pattern[str], ...] = ()
    blocked: tuple[re.Pattern[str], ...] = ()

    def __contains__(self, name: object) -> bool:
        text = str(name).lower()
        if self.allowed:
            return any(pattern.search(text) for pattern in self.allowed)
        return not any(pattern.search(text) for pattern in self.blocked)


def chosen(allow: str, block: str) -> Chosen:
    """Read both options, patterns separated by commas. Raises ValueError with the pattern that is none."""
    return Chosen(tuple(_patterns("metrics_allow_list", allow)), tuple(_patterns("metrics_block_list", block)))


def _patterns(option: str, text: str) -> Iterable[re.Pattern[str]]:
    for part in filter(None, (piece.strip() for piece in (text or "").split(","))):
        try:
            yield re.compile(part)
        except re.error as error:
            raise ValueError(f"[metrics] {option}: {part!r} is no regular expression: {error}") from error
