"""Decides which DAGs a module defines: those registered while it was imported, and those in its globals."""

from __future__ import annotations

from types import ModuleType

from orchestrator.sdk.definitions.contexts import DagContext
from orchestrator.sdk.definitions.dag import DAG


def collect_dags(module: ModuleType) -> list[DAG]:
    """Return the DAGs of a module in the order of definition, each once."""
    found = {id(value): value for value in vars(module).values() if isinstance(value, DAG)}
    for dag, module_name in DagContext.autoregistered_dags:
        if module_name in (None, module.__name__):
            found.setdefault(id(dag), dag)
    return list(found.values())
