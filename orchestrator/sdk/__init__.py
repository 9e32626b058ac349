"""Decides the names that a DAG file imports; each is loaded when it is first used."""

from __future__ import annotations

import importlib
from typing import Any

from orchestrator.sdk.public_names import NAMES

__version__ = "1.3.2"
__all__ = ["__version__", *sorted(NAMES)]


def __getattr__(name: str) -> Any:
    target = NAMES.get(name)
    if target is None:
        try:
            return importlib.import_module(f"{__name__}.{name}")
        except ModuleNotFoundError:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    module_name, _, attribute = target.partition(":")
    module = importlib.import_module(f"orchestrator.sdk.{module_name}")
    value = getattr(module, attribute) if attribute else module
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
