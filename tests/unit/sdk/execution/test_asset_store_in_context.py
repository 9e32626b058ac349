"""Where a task's context has the store of assets."""

from types import SimpleNamespace

from orchestrator.sdk import DAG, Asset, AssetAlias
from orchestrator.sdk.execution.context import build_context
from orchestrator.sdk.execution.startup import DagRun, TIRunContext
from orchestrator.sdk.operators.empty import EmptyOperator


def test_the_context_has_the_store_of_assets_only_where_the_task_names_assets() -> None:
    with DAG("d", schedule=None):
        without = EmptyOperator(task_id="without")
        reads = EmptyOperator(task_id="reads", inlets=[AssetAlias("seen")])
        writes = EmptyOperator(task_id="writes", outlets=[Asset("made")])
    told = {task.task_id: "asset_state_store" in build_context(_running(task), TOLD) for task in (without, reads, writes)}
    assert told == {"without": False, "reads": True, "writes": True}


TOLD = TIRunContext(dag_run=DagRun("d", "run"))


def _running(task: EmptyOperator) -> SimpleNamespace:
    return SimpleNamespace(id="1", task=task, dag=task.dag, dag_id="d", task_id=task.task_id, run_id="run", map_index=-1)
