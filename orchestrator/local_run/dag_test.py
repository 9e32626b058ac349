"""Decides what ``dag.test()`` does: take the author's arguments, run in memory, log to stderr, show a table."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.local_run.order import RunOrder
from orchestrator.local_run.run import LocalRun
from orchestrator.sdk.definitions.param import check_params
from orchestrator.sdk.serialization.encode import encode_dag
from orchestrator.sdk.testing.given import connections_of, read_connections, read_variables
from orchestrator.sdk.testing.result import RunResult, author_frames
from orchestrator.sdk.testing.store import Store

log = logging.getLogger(__name__)


def run_dag(
    dag: Any,
    *,
    store: Store | None = None,
    variables: Mapping[str, Any] | None = None,
    connections: Mapping[str, Any] | None = None,
    pools: Mapping[str, int] | None = None,
    answers: Mapping[str, dict[str, Any]] | None = None,
    on_log: Callable[[dict[str, Any]], None] | None = None,
    **order: Any,
) -> RunResult:
    """Run a DAG once in this process, without any database or service.

    Args:
        dag: the DAG.
        store: what earlier runs left; a new, empty one if it is not given.
        variables, connections: what tasks may read, beside the environment.
        pools: slots by name; with them, a task that no pool has room for is refused.
        answers: what people answer, by task id.
        on_log: called with every log record.
        order: the fields of ``RunOrder``.

    Raises ``PoolError`` for a task that could never run, ``ParamValidationError`` for params that a run may not have,
    ``NoAnswerError`` where a person is asked and nothing is given, and what the DAG's own checks raise.
    """
    from orchestrator.sdk import airflow_names

    airflow_names.install()
    store = store if store is not None else Store()
    store.variables |= Store(variables=dict(variables or {})).variables
    store.connections |= connections_of(connections or {})
    store.answers |= dict(answers or {})
    store.pools = dict(pools) if pools is not None else store.pools
    spec = encode_dag(dag)
    _check_pools(spec, store.pools)
    check_params(dag, order.get("run_conf"))
    return LocalRun(dag, spec, RunOrder(**order), store, on_log or _no_log).finish()


def dag_test(
    dag: Any, *, conn_file_path: str | None, variable_file_path: str | None, use_executor: bool, **order: Any
) -> RunResult:
    """Run a DAG as ``dag.test()`` does and write logs, tracebacks and a table to stderr; see ``DAG.test``."""
    if use_executor:
        log.warning("use_executor=True changes nothing: a run in memory runs its tasks in this process, one after the other.")
    variables = read_variables(variable_file_path) if variable_file_path else {}
    connections = read_connections(conn_file_path) if conn_file_path else {}
    # A sensor or trigger here may look at the real world, which needs its time.
    patient = {"travels": False, "trigger_seconds": None}
    result = run_dag(dag, variables=variables, connections=connections, on_log=show_record, **{**patient, **order})
    sys.stderr.write(f"\n{result.table()}\n")
    if failures := result.failures():
        sys.stderr.write(f"\n{failures}\n")
    return result


def show_record(record: dict[str, Any]) -> None:
    """Write one log record to stderr."""
    at = str(record.get("timestamp", ""))[:23].replace("T", " ")
    level, logger = str(record.get("level", "info")).upper(), record.get("logger", "")
    sys.stderr.write(f"[{at}] {level:<8}{logger}: {record.get('event', '')}\n")
    for error in record.get("error_detail") or ():
        for frame in author_frames(error["frames"]):
            sys.stderr.write(f'  File "{frame["filename"]}", line {frame["lineno"]}, in {frame["name"]}\n')
        sys.stderr.write(f"{error['exc_type']}: {error['exc_value']}\n")


class PoolError(ValueError):
    """A task needs more slots than its pool has, or a pool that there is not: it would wait for ever."""


def _check_pools(spec: Any, pools: Mapping[str, int] | None) -> None:
    if pools is None:
        return
    known = {"default_pool": 128, **pools}
    for task in spec.tasks:
        if task.pool not in known:
            raise PoolError(f"Task {task.task_id!r} of DAG {spec.dag_id!r} wants pool {task.pool!r}; there are {sorted(known)}.")
        if known[task.pool] != -1 and task.pool_slots > known[task.pool]:
            raise PoolError(
                f"Task {task.task_id!r} of DAG {spec.dag_id!r} takes {task.pool_slots} slots of pool {task.pool!r}, "
                f"which has {known[task.pool]}: it would wait for ever."
            )


def _no_log(record: dict[str, Any]) -> None:
    """Leave it in the task's own logs."""
