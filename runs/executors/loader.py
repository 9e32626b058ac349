"""Decides which executors ``[core] executor`` means."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from orchestrator.config import conf
from runs.executors.base import Executor, Executors

_KNOWN = {"LocalExecutor": "runs.executors.local.LocalExecutor"}
# Airflow's own class paths mean ours.
_ALIASES = {"airflow.executors.local_executor.LocalExecutor": "LocalExecutor", "SequentialExecutor": "LocalExecutor"}


class UnknownExecutorError(Exception):
    """``[core] executor`` names an executor that does not exist."""


def load_executors() -> Executors:
    """Build the executors of ``[core] executor``: names or class paths, separated by commas, each as ``alias:name``.

    Raises:
        UnknownExecutorError: naming the value and the known names.
    """
    return Executors({alias: _load(name) for alias, name in _configured()}, names_for_tasks())


def names_for_tasks() -> dict[str, str]:
    """Return each name that ``executor=`` may give, as in Airflow alias, class name or class path, with the configured name."""
    found: dict[str, str] = {}
    for alias, name in _configured():
        paths = [path for path, short in _ALIASES.items() if short == name and "." in path]
        for spelling in (alias, name, name.rpartition(".")[2], *paths):
            found.setdefault(spelling, alias)
    return found


def executor_classes() -> dict[str, str]:
    """Return the class name of each configured executor by its name in ``executor=``, the default first; imports none."""
    return {alias: name.rpartition(".")[2] for alias, name in _configured()}


def _configured() -> Iterator[tuple[str, str]]:
    for item in (part.strip() for part in str(conf.get("core", "executor")).split(",")):
        alias, _, name = item.rpartition(":")
        name = _ALIASES.get(name, name)
        yield alias or name, name


def _load(name: str) -> Executor:
    path = _KNOWN.get(name, name)
    module_name, _, class_name = path.rpartition(".")
    try:
        factory = getattr(import_module(module_name), class_name)
    except (ImportError, ValueError, AttributeError) as error:
        raise UnknownExecutorError(
            f"[core] executor = {name!r} is not an executor ({error}); known names: {', '.join(sorted(_KNOWN))}, "
            "or give the import path of a class"
        ) from error
    executor: Executor = factory()
    return executor
