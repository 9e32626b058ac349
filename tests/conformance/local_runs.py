"""Runs Airflow's example files in memory in a process of its own and prints what they ended with, as JSON."""

from __future__ import annotations

import json
import sys
from typing import Any

from orchestrator.sdk import airflow_names


def main(folder: str, wanted: list[str]) -> None:
    """Run the named DAGs of the folder's example files and print ``{dag_id: {state, tis, xcom} or {error}}``."""
    sys.path.append(folder)
    airflow_names.install()
    found: dict[str, Any] = {}
    for path, dag in _dags(folder):
        if dag.dag_id in wanted and dag.dag_id not in found:
            try:
                found[dag.dag_id] = _outcome(dag)
            except Exception as error:
                found[dag.dag_id] = {"error": f"{path}: {type(error).__name__}: {error}"}
    print(json.dumps(found, default=str))


def _dags(folder: str) -> Any:
    from pathlib import Path

    from orchestrator.sdk.execution.host.loading import LoadError, load_dags

    for path in sorted(Path(folder).glob("airflow/**/example_dags/*.py")):
        try:
            for dag in load_dags(str(path)).values():
                yield path.name, dag
        except LoadError as error:
            print(f"{path.name}: {str(error)[:200]}", file=sys.stderr)


def _outcome(dag: Any) -> dict[str, Any]:
    from contextlib import redirect_stdout

    from orchestrator.local_run.dag_test import run_dag

    with redirect_stdout(sys.stderr):
        result = run_dag(dag, logical_date="2026-01-05T06:00:00+00:00", run_id="golden_1")
    xcoms: dict[str, dict[str, Any]] = {}
    for (_, run_id, task_id, index, key), item in result.store.xcoms.items():
        if run_id == "golden_1":
            xcoms.setdefault(task_id if index < 0 else f"{task_id}[{index}]", {})[key] = item.value
    tis = {item.label: {"state": item.state, "try_number": item.try_number} for item in result.tasks}
    return {"state": result.state, "tis": tis, "xcom": xcoms}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
