"""Decides how the outcomes are shown: Markdown for people, JSON for programs."""

import os
import platform
from collections.abc import Iterable
from dataclasses import asdict
from statistics import median
from typing import Any

import django

from benchmarks.outcome import Figure, Outcome

Column = tuple[str, str]
SMALLEST_CPU_MS = 0.05
QUIET_PERCENT = 10


def machine() -> str:
    """Return one line about this machine."""
    with open("/proc/meminfo", encoding="ascii") as file:
        memory = int(next(line for line in file if line.startswith("MemTotal")).split()[1]) / 1024**2
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.machine())
    return (
        f"{os.cpu_count()} cores ({model}), {memory:.0f} GB memory, Linux {platform.release()}, "
        f"Python {platform.python_version()}, Django {django.get_version()}"
    )


def markdown(outcomes: list[Outcome], how: str) -> str:
    """Return the whole report; ``how`` is a line about the options."""
    parts = [f"{machine()}. {how}", _disturbance(outcomes), _figures(outcomes), _conditions(outcomes)]
    for column in _columns(outcomes):
        mine = [outcome for outcome in outcomes if (outcome.platform, outcome.database) == column]
        parts += [_processor(column, mine), _memory(column, mine)]
    return "\n\n".join(part for part in parts if part) + "\n"


def document(outcomes: list[Outcome], how: str) -> dict[str, Any]:
    """Return the JSON: every outcome of every repetition, with the machine and the options."""
    return {"machine": machine(), "options": how, "outcomes": [asdict(outcome) for outcome in outcomes]}


def _disturbance(outcomes: list[Outcome]) -> str:
    """A sentence about what else ran, so that nobody takes a busy machine's figures for the platform's."""
    share = median(outcome.others for outcome in outcomes) if outcomes else 0.0
    sentence = f"Other programs used {share:.0f} % of the machine meanwhile (median of the measurements)."
    if share <= QUIET_PERCENT:
        return sentence
    return f"**{sentence} The machine was not quiet: times are longer and throughput is lower than they would be.**"


def _columns(outcomes: list[Outcome]) -> list[Column]:
    return list(dict.fromkeys((outcome.platform, outcome.database) for outcome in outcomes))


def _figures(outcomes: list[Outcome]) -> str:
    columns = _columns(outcomes)
    rows: dict[str, dict[Column, list[Figure]]] = {}
    for outcome in outcomes:
        for figure in outcome.figures:
            cells = rows.setdefault(figure.name, {})
            cells.setdefault((outcome.platform, outcome.database), []).append(figure)
    lines = [[name, *(_value(cells.get(column)) for column in columns)] for name, cells in rows.items()]
    for shape in ("fan-out and fan-in", "mapped task"):
        lines += _flatness(f"cost per task, {shape} of ", rows, columns)
    lines.append(["tasks that did not succeed", *(str(_sum(outcomes, column, "failures")) for column in columns)])
    lines.append(["REST answers that failed", *(str(_sum(outcomes, column, "errors")) for column in columns)])
    return _table(["what", *(f"{name}, {database}" for name, database in columns)], lines)


def _flatness(prefix: str, rows: dict[str, dict[Column, list[Figure]]], columns: list[Column]) -> list[list[str]]:
    """Cost per task of the largest run divided by that of the smallest."""
    names = [name for name in rows if name.startswith(prefix)]
    if len(names) < 2:
        return []
    cells = []
    for column in columns:
        costs = [_median(rows[name][column]) for name in names if column in rows[name]]
        cells.append(f"{costs[-1] / costs[0]:.2f}" if len(costs) > 1 else "")
    return [[f"{prefix.removesuffix(' of ')}: largest run / smallest run", *cells]]


def _conditions(outcomes: list[Outcome]) -> str:
    lines = [
        [one.measure, one.platform, one.database, f"{one.load:.1f}", f"{one.others:.0f} %", str(one.failures), one.problem]
        for one in outcomes
    ]
    return "Conditions of each measurement:\n\n" + _table(
        ["measure", "platform", "database", "load before", "used by other programs", "failures", "problem"], lines
    )


def _processor(column: Column, outcomes: Iterable[Outcome]) -> str:
    """CPU ms per task by process: one column per measure, the last repetition of each."""
    by_measure = {outcome.measure: outcome.processor for outcome in outcomes if outcome.processor}
    if not by_measure:
        return ""
    totals = [f"**{sum(used.values()):.1f}**" for used in by_measure.values()]
    names = sorted(
        {name for used in by_measure.values() for name in used}, key=lambda n: -max(u.get(n, 0) for u in by_measure.values())
    )
    lines = [
        [name, *(f"{used.get(name, 0):.1f}" for used in by_measure.values())]
        for name in names
        if max(used.get(name, 0) for used in by_measure.values()) >= SMALLEST_CPU_MS
    ]
    title = f"CPU ms per task by process, {column[0]} on {column[1]}:\n\n"
    return title + _table(["process", *by_measure], [*lines, ["**all**", *totals]])


def _memory(column: Column, outcomes: Iterable[Outcome]) -> str:
    memory = next((outcome.memory for outcome in outcomes if outcome.memory), None)
    if not memory:
        return ""
    ordered = sorted(memory.items(), key=lambda item: -item[1][1])
    lines = [[name, str(count), f"{size:.1f}"] for name, (count, size) in ordered]
    return f"Memory idle by process, {column[0]} on {column[1]}:\n\n" + _table(["process", "how many", "PSS, MB"], lines)


def _sum(outcomes: list[Outcome], column: Column, attribute: str) -> int:
    return sum(getattr(one, attribute) for one in outcomes if (one.platform, one.database) == column)


def _median(figures: list[Figure]) -> float:
    return median(figure.value for figure in figures)


def _value(figures: list[Figure] | None) -> str:
    if not figures:
        return ""
    return f"{_median(figures):,.{figures[0].digits}f} {figures[0].unit}".strip()


def _table(head: list[str], lines: list[list[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in row) + " |" for row in rows)
