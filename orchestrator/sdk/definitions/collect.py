"""Decides which DAGs a module defines: those registered while it was imported, and those in its globals."""

from __future__ import annotations

from types import ModuleType

from orchestrator.sdk.definitions.contexts import DagContext
from orchestrator.sdk.definitions.dag import DAG


def collect_dags(module: ModuleType) -> list[DAG]:
    """Return the DAGs of a module, each once: the registered ones in the order of their blocks, then the others.

    Of two with one id the later one counts, in the process that parses (``parsing.collecting``) as in the one that runs tasks.
    """
    registered = [dag for dag, module_name in DagContext.autoregistered_dags if module_name in (None, module.__name__)]
    found = {id(dag): dag for dag in registered}
    found |= {id(value): value for value in vars(module).values() if isinstance(value, DAG)}
    return list(found.values())
