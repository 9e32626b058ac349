"""Decides what the page of the configuration shows: each option with its value, where that came from, and its default."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from orchestrator.config import conf
from orchestrator.config.configuration import DEFAULT_SOURCE
from orchestrator.config.option import Option
from orchestrator.config.options import OPTIONS
from orchestrator.config.sources import Sources
from orchestrator.rest.configuration import HIDDEN, shown_value

KINDS = ("environment", "file", DEFAULT_SOURCE)


@dataclass(frozen=True, slots=True)
class OptionRow:
    """One option. ``kind`` is one of ``KINDS``, ``source`` says exactly which variable or file."""

    option: Option
    value: str
    kind: str
    source: str
    default: str
    is_changed: bool


@dataclass(frozen=True, slots=True)
class SectionRows:
    """The options of one section that are shown."""

    name: str
    rows: list[OptionRow]


def sections(search: str, *, changed_only: bool, kind: str) -> list[SectionRows]:
    """Return the options that match, by section; ``search`` is looked for in names, descriptions and shown values."""
    found: dict[str, SectionRows] = {}
    words = search.lower().split()
    for option in OPTIONS.values():
        row = _row(option)
        if (changed_only and not row.is_changed) or (kind in KINDS and row.kind != kind):
            continue
        text = f"{option.name} {option.section}.{option.key} {option.variable} {option.description} {row.value}".lower()
        if all(word in text for word in words):
            found.setdefault(option.section, SectionRows(option.section, [])).rows.append(row)
    return list(found.values())


def _row(option: Option) -> OptionRow:
    source = _origins(conf.sources)[option.section, option.key]
    kind = _kind(source)
    value, default = shown_value(option), _default(option)
    is_changed = kind != DEFAULT_SOURCE and (option.sensitive or value != default)
    return OptionRow(option, value, kind, source, HIDDEN if option.sensitive and default else default, is_changed)


@lru_cache(maxsize=1)
def _origins(sources: Sources) -> dict[tuple[str, str], str]:
    """Where each option comes from; asked once, because a ``_CMD`` is a command that runs."""
    return {(option.section, option.key): _origin(sources, option) for option in OPTIONS.values()}


def _origin(sources: Sources, option: Option) -> str:
    found = sources.find(option)
    return found.source if found is not None else DEFAULT_SOURCE


def _kind(source: str) -> str:
    if source == DEFAULT_SOURCE:
        return DEFAULT_SOURCE
    return "environment" if source.startswith("environment variable") else "file"


def _default(option: Option) -> str:
    value: Any = option.default
    if isinstance(value, str):
        value = option.parse(value, DEFAULT_SOURCE, conf.home)
    return "" if value is None else str(value)
