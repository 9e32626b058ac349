"""Decides which DAGs a module defines: those registered while it was imported, and those in its globals."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Any

from orchestrator.sdk.definitions.contexts import DagContext
from orchestrator.sdk.definitions.dag import DAG


def collect_dags(module: ModuleType) -> list[DAG]:
    """Return the DAGs of a module, each once, in the order of ``dags_in_order``."""
    registered = (dag for dag, module_name in DagContext.autoregistered_dags if module_name in (None, module.__name__))
    return dags_in_order(registered, vars(module).values())


def dags_in_order(registered: Iterable[DAG], values: Iterable[Any]) -> list[DAG]:
    """Return registered DAGs in the order of their blocks, then those among other values of their file, each once.

    Of two with one id the later one counts, in the process that parses as in the one that runs tasks.
    """
    found = {id(dag): dag for dag in registered}
    found |= {id(value): value for value in values if isinstance(value, DAG)}
    return list(found.values())
