"""Decides the arguments that commands about DAG files share, and what they stand for."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from orchestrator.local_run.find_dag import DagNotFoundError, find_dag
from orchestrator.sdk.bundles.configured import configured_bundles
from orchestrator.sdk.testing.table import OUTPUTS, Row


def add_bundle(parser: ArgumentParser) -> None:
    """Add ``-B/--bundle-name``."""
    parser.add_argument("-B", "--bundle-name", action="append", help="a bundle to use; may be given more than once")


def add_output(parser: ArgumentParser) -> None:
    """Add ``-o/--output``."""
    parser.add_argument("-o", "--output", choices=OUTPUTS, default="table", help="form of the output (default: table)")


def add_color(parser: ArgumentParser) -> None:
    """Add ``--color``."""
    parser.add_argument(
        "--color", choices=("auto", "off", "on"), default="auto", help="taken for compatibility: nothing is coloured"
    )


def add_skip_serve_logs(parser: ArgumentParser) -> None:
    """Add ``-s/--skip-serve-logs``."""
    parser.add_argument("-s", "--skip-serve-logs", action="store_true", help="taken for compatibility: no service serves logs")


def override(section: str, key: str, value: Any) -> None:
    """Let a flag win over the configuration, in this process and in what it starts. Raises ``ConfigurationError``."""
    import os

    from orchestrator.config import conf
    from orchestrator.config.option import environment_name

    if value is not None and value is not False:
        os.environ[environment_name(section, key)] = str(value)
        conf.reload()
        conf.get(section, key)


def add_yes(parser: ArgumentParser) -> None:
    """Add ``-y/--yes``."""
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")


def chosen_columns(rows: Sequence[Row], text: str | None, usual: Sequence[str]) -> list[Row]:
    """Return only the columns that ``--columns`` names, else the usual ones that the rows have.

    Raises ``CommandError`` for names that the rows do not have.
    """
    known = list(rows[0]) if rows else []
    names = [name.strip() for name in (text or "").split(",") if name.strip()] or [name for name in usual if name in known]
    if unknown := [name for name in names if name not in known and rows]:
        raise CommandError(f"There are no columns {', '.join(unknown)}; there are {', '.join(sorted(known))}.")
    return [{name: row[name] for name in names} for row in rows]


def folders_of(options: dict[str, Any]) -> dict[str, Path]:
    """Return name and folder of the bundles that the options name, else of all; raises ``CommandError`` for an unknown name."""
    bundles = {bundle.name: bundle.path for bundle in configured_bundles()}
    wanted = options.get("bundle_name") or list(bundles)
    for name in wanted:
        if name not in bundles:
            raise CommandError(f"There is no bundle {name!r}; configured are {', '.join(bundles)}.")
    return {name: bundles[name] for name in wanted}


def dag_of(options: dict[str, Any]) -> Any:
    """Return the DAG that the options name; raises ``CommandError`` where it cannot be found."""
    try:
        return find_dag(options["dag_id"], folders=list(folders_of(options).values()), file=options.get("dagfile_path"))
    except (DagNotFoundError, FileNotFoundError) as error:
        raise CommandError(str(error)) from None


def json_of(text: str | None, name: str) -> dict[str, Any]:
    """Return the JSON object of an option; raises ``CommandError`` that names the option."""
    if not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError as error:
        raise CommandError(f"{name} is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise CommandError(f"{name} must be a JSON object, not {type(found).__name__}.")
    return found


def date_of(text: str | None) -> datetime | None:
    """Return the instant of an argument, None for none; raises ``CommandError`` for a text that is no date."""
    if text is None:
        return None
    from orchestrator.sdk import timezone

    try:
        return timezone.parse(text)
    except ValueError:
        raise CommandError(f"{text!r} is no date; write it like 2026-01-31 or 2026-01-31T06:00:00+00:00.") from None
