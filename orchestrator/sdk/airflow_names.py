"""Decides how ``import airflow...`` in a DAG file finds our modules."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

from orchestrator.sdk.name_tables import TABLE

OURS = "orchestrator.sdk"
_NAMESPACES = ("airflow", "airflow.providers", "airflow.providers.common")
#: What the author has installed beside this platform: further providers, Airflow's example files.
_ON_DISK = ("airflow.providers.", "airflow.example_dags")


class AirflowModule(ModuleType):
    """A module of Airflow's whose names are ours, each loaded when it is first used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        found, value = _look_up(self.__name__, name)
        if not found:
            value = _submodule(self.__name__, name)
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return sorted({*vars(self), *public_names(self.__name__)})


class AirflowFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds modules under ``airflow``; other providers that are installed are left to the normal finders."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return our spec for a module in the table, None for an installed provider; raises for an unknown module."""
        if fullname != "airflow" and not fullname.startswith("airflow."):
            return None
        if fullname in TABLE or fullname in _NAMESPACES:
            spec = importlib.machinery.ModuleSpec(fullname, self, is_package=True)
            spec.submodule_search_locations = list(_folders(fullname)) if fullname in _NAMESPACES else []
            return spec
        if fullname.startswith(_ON_DISK):
            return None
        raise ModuleNotFoundError(
            f"No module named {fullname!r}: this platform has no module of that name. "
            f"Look for the name in airflow.sdk or airflow.providers.standard.",
            name=fullname,
        )

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Return the empty module; a table entry ``@module`` gives our module under Airflow's name."""
        return AirflowModule(spec.name, f"Names of {spec.name}, provided by {OURS}.")

    def exec_module(self, module: ModuleType) -> None:
        """Fill nothing: names are looked up when they are used."""
        names = [name for name in public_names(module.__name__) if not name.startswith("_")]
        module.__all__ = names  # type: ignore[attr-defined]


def install() -> None:
    """Put the finder first; calling it again changes nothing."""
    if not any(isinstance(finder, AirflowFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, AirflowFinder())


def public_names(module_name: str) -> list[str]:
    """Return the names that the table gives to one of Airflow's modules."""
    names: list[str] = []
    for line in TABLE.get(module_name, ()):
        source, _, chosen = line.partition(":")
        if chosen:
            names.extend(item.rpartition("=")[2] for item in chosen.split())
        else:
            module = _ours(source)
            names.extend(getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")])
    return names


def _look_up(module_name: str, name: str) -> tuple[bool, Any]:
    for line in TABLE.get(module_name, ()):
        source, _, chosen = line.partition(":")
        if not chosen:
            module = _ours(source)
            try:
                return True, getattr(module, name)
            except AttributeError:
                continue
        for item in chosen.split():
            ours, _, theirs = item.rpartition("=")
            if theirs == name:
                return True, getattr(_ours(source), ours or theirs)
    return False, None


def _ours(source: str) -> ModuleType:
    name = source.lstrip("@")
    return importlib.import_module(f"{OURS}.{name}" if name else OURS)


def _submodule(parent: str, name: str) -> Any:
    """Return ``parent.name`` as a module; raises ``AttributeError``, which an import statement shows as ``ImportError``."""
    full = f"{parent}.{name}"
    if full in TABLE or parent in _NAMESPACES:
        try:
            return importlib.import_module(full)
        except ModuleNotFoundError as error:
            if error.name != full:
                raise
    raise AttributeError(f"module {parent!r} has no attribute {name!r} on this platform")


def _folders(namespace: str) -> Iterator[str]:
    """Return the folders on disk in which installed providers live."""
    import os

    parts = namespace.split(".")
    for entry in sys.path:
        folder = os.path.join(entry or os.curdir, *parts)
        if os.path.isdir(folder):
            yield folder
