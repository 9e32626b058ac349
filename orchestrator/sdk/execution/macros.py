"""Decides what ``macros`` offers in templates."""

from __future__ import annotations

import json
import time
import uuid
from datetime import datetime, timedelta
from importlib import import_module
from random import random
from typing import Any

import dateutil
import dateutil.parser
import pendulum

__all__ = [
    "datetime",
    "datetime_diff_for_humans",
    "dateutil",
    "ds_add",
    "ds_format",
    "ds_format_locale",
    "json",
    "pendulum",
    "random",
    "time",
    "timedelta",
    "uuid",
]


def ds_add(ds: str, days: int) -> str:
    """Return the date ``ds`` (YYYY-MM-DD) moved by ``days``, which may be negative."""
    if not days:
        return str(ds)
    return (datetime.strptime(str(ds), "%Y-%m-%d") + timedelta(days=days)).strftime("%Y-%m-%d")


def ds_format(ds: str, input_format: str, output_format: str) -> str:
    """Return the date ``ds``, written in ``input_format``, in ``output_format``."""
    return datetime.strptime(str(ds), input_format).strftime(output_format)


def ds_format_locale(ds: str, input_format: str, output_format: str, locale: Any = None) -> str:
    """Return the date in a format of Babel (``EEEE dd MMMM yyyy``) and the words of a locale (default: ``LC_TIME``)."""
    from babel import Locale
    from babel.dates import LC_TIME, format_datetime

    chosen = locale or LC_TIME or Locale("en_US")
    return str(format_datetime(datetime.strptime(str(ds), input_format), format=output_format, locale=chosen))


def datetime_diff_for_humans(dt: Any, since: Any = None) -> str:
    """Return how long ``dt`` is before or after ``since`` (default: now), in words."""
    return str(pendulum.instance(dt).diff_for_humans(since))


class MacrosAccessor:
    """The ``macros`` of a template: this module, and ``yaml`` loaded when it is used."""

    def __getattr__(self, name: str) -> Any:
        if name == "yaml":
            return import_module("yaml")
        try:
            return globals()[name]
        except KeyError:
            raise AttributeError(f"macros has no {name!r}") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MacrosAccessor)

    def __hash__(self) -> int:
        return hash(MacrosAccessor)

    def __repr__(self) -> str:
        return "<MacrosAccessor (dynamic access to macros)>"
