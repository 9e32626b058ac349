"""Decides how rows are printed: as a table, plain columns, JSON or YAML, as Airflow's commands name these forms."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

OUTPUTS = ("table", "json", "yaml", "plain")

Row = dict[str, Any]


def render(rows: Sequence[Row], output: str = "table") -> str:
    """Return the rows in one of ``OUTPUTS``; raises ``ValueError`` for another name."""
    if output == "json":
        return json.dumps([{name: _json(value) for name, value in row.items()} for row in rows])
    if output == "yaml":
        import yaml

        return str(yaml.safe_dump([{n: _json(v) for n, v in row.items()} for row in rows], sort_keys=False)).rstrip("\n")
    if output == "plain":
        return _columns(rows, "  ", rule=False)
    if output == "table":
        return as_table(rows)
    raise ValueError(f"output is {output!r}; it must be one of {', '.join(OUTPUTS)}")


def as_table(rows: Sequence[Row]) -> str:
    """Return columns with names and a rule; a sentence where there are no rows."""
    return _columns(rows, " | ", rule=True) if rows else "No data found"


def _columns(rows: Sequence[Row], between: str, *, rule: bool) -> str:
    if not rows:
        return "No data found"
    names = list(rows[0])
    cells = [names, *([_text(row.get(name)) for name in names] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
    lines = [between.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    if rule:
        lines.insert(1, "=+=".join("=" * width for width in widths))
    return "\n".join(lines)


def _text(value: Any) -> str:
    if isinstance(value, list | tuple | set):
        return ",".join(map(str, value))
    return "None" if value is None else str(value).replace("\n", " ")


def _json(value: Any) -> Any:
    """Return what Airflow's commands print: text for all that is no text, list or mapping, such as ``"True"`` and ``"16"``."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list | tuple | set):
        return [_json(item) for item in value]
    return {str(key): _json(item) for key, item in value.items()} if isinstance(value, dict) else str(value)
