"""Decides which params a run had, as its pages tell them in short: what was given, then defaults, without secrets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from accounts.services import masked
from orchestrator.sdk.serialization.spec import DagSpec
from runs.models import DagRun

LONGEST = 60
MOST_PARAMS = 6


@dataclass(frozen=True, slots=True)
class GivenParam:
    """One param of a run: its name, its value in a few letters, and whether nobody gave it."""

    name: str
    text: str
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class GivenParams:
    """The first params of a run, and how many more there are."""

    shown: Sequence[GivenParam] = ()
    more: int = 0


def conf_of(run: DagRun) -> dict[str, Any]:
    """Return what a run was given, by name; runs may be older than the rule that it is an object."""
    if isinstance(run.conf, dict):
        return run.conf
    return {"conf": run.conf} if run.conf else {}


def params_of(run: DagRun, spec: DagSpec | None) -> GivenParams:
    """Return the params of a run; those without any value are left out."""
    conf = conf_of(run)
    declared = (spec.params if spec else None) or {}
    defaults = {name: param.get("value") if isinstance(param, dict) else param for name, param in declared.items()}
    left = {name: value for name, value in defaults.items() if name not in conf and value is not None}
    shown = [_param(name, value, name in left) for name, value in islice({**conf, **left}.items(), MOST_PARAMS)]
    return GivenParams(shown, max(0, len(conf) + len(left) - MOST_PARAMS))


def _param(name: str, value: Any, is_default: bool) -> GivenParam:
    return GivenParam(str(name), short(value, str(name)), is_default)


def short(value: Any, name: str = "") -> str:
    """Return a value in a few letters, without what its name, or a name in it, says is a secret."""
    (value,) = masked({name: value}).values()
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
