"""Decides under which of Airflow's module paths a class of ours is shown to people and clients."""

from __future__ import annotations

_OURS = "orchestrator.sdk."
_STANDARD = "airflow.providers.standard."

#: Modules whose classes Airflow keeps elsewhere; by module, or by module and class.
_ELSEWHERE = {
    "operators.virtualenv": _STANDARD + "operators.python",
    "operators.email": "airflow.providers.smtp.operators.smtp",
    "sensors.base": "airflow.sdk.bases.sensor",
    "definitions.operator": "airflow.sdk.bases.operator",
    "definitions.asset_decorator": "airflow.sdk.definitions.asset.decorators",
    "definitions.decorated": "airflow.sdk.bases.decorator",
    "decorators.python:_BranchPythonDecoratedOperator": _STANDARD + "decorators.branch_python",
    "decorators.python:_ShortCircuitDecoratedOperator": _STANDARD + "decorators.short_circuit",
    "decorators.virtualenv:_PythonVirtualenvDecoratedOperator": _STANDARD + "decorators.python_virtualenv",
    "decorators.virtualenv:_PythonExternalDecoratedOperator": _STANDARD + "decorators.external_python",
    "decorators.virtualenv:_BranchPythonVirtualenvDecoratedOperator": _STANDARD + "decorators.branch_virtualenv",
    "decorators.virtualenv:_BranchExternalPythonDecoratedOperator": _STANDARD + "decorators.branch_external_python",
}


def airflow_module(module: str, class_name: str) -> str:
    """Return the module path that Airflow has for a class; a class of the author's keeps its own."""
    if not module.startswith(_OURS):
        return module
    short = module.removeprefix(_OURS)
    found = _ELSEWHERE.get(f"{short}:{class_name}") or _ELSEWHERE.get(short)
    return found or _STANDARD + short
