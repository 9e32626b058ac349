"""Decides how metrics look in the text format of Prometheus."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TypeVar

from orchestrator.kernel.telemetry import Series

_UNSAFE = re.compile(r"[^a-zA-Z0-9_:]")
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Timing = tuple[int, float, float]
T = TypeVar("T")


def text(
    counters: Iterable[tuple[Series, float]],
    gauges: Iterable[tuple[Series, float]],
    timings: Iterable[tuple[Series, Timing]],
    prefix: str = "airflow",
) -> str:
    """Return one document: counters end in ``_total``, times are summaries in seconds."""
    lines: list[str] = []
    for name, rows in _families(counters):
        lines += _family(f"{prefix}_{name}_total", "counter", rows)
    for name, rows in _families(gauges):
        lines += _family(f"{prefix}_{name}", "gauge", rows)
    for name, timed in _families(timings):
        full = f"{prefix}_{name}_seconds"
        lines.append(f"# TYPE {full} summary")
        for labels, (number, total, _) in timed:
            lines += [f"{full}_count{labels} {number}", f"{full}_sum{labels} {total:.6f}"]
    return "\n".join(lines) + "\n"


def _families(series: Iterable[tuple[Series, T]]) -> Iterator[tuple[str, list[tuple[str, T]]]]:
    found: dict[str, list[tuple[str, T]]] = {}
    for (name, tags), value in series:
        found.setdefault(_UNSAFE.sub("_", name), []).append((_labels(tags), value))
    yield from sorted(found.items())


def _family(name: str, kind: str, rows: list[tuple[str, float]]) -> list[str]:
    return [f"# TYPE {name} {kind}", *(f"{name}{labels} {value!r}" for labels, value in sorted(rows))]


def _labels(tags: Iterable[tuple[str, str]]) -> str:
    shown = ",".join(f'{_UNSAFE.sub("_", key)}="{_escaped(value)}"' for key, value in tags)
    return f"{{{shown}}}" if shown else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
