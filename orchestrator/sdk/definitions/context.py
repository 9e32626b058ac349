"""Decides how user code finds the context of the running task, and which DAG a file is being parsed for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

Context = dict[str, Any]


def get_current_context() -> Any:
    """Return the context of the running task; raises ``RuntimeError`` outside of one."""
    from orchestrator.sdk.execution import context

    return context.get_current_context()


class AirflowParsingContext(NamedTuple):
    """The DAG (and task) that a file is being parsed for; both None when all DAGs are wanted."""

    dag_id: str | None
    task_id: str | None


DAG_ID_VARIABLE = "_AIRFLOW_PARSING_CONTEXT_DAG_ID"
TASK_ID_VARIABLE = "_AIRFLOW_PARSING_CONTEXT_TASK_ID"


def get_parsing_context() -> AirflowParsingContext:
    """Return what the file is being parsed for, so that a file with many DAGs can make only the one."""
    return AirflowParsingContext(os.environ.get(DAG_ID_VARIABLE), os.environ.get(TASK_ID_VARIABLE))


def context_merge(context: Any, *args: Any, **kwargs: Any) -> None:
    """Add names to a context in place."""
    for more in args:
        context.update(more)
    context.update(kwargs)


def context_to_airflow_vars(context: Mapping[str, Any], in_env_var_format: bool = False) -> dict[str, str]:
    """Return facts about the running task by name: ``airflow.ctx.dag_id``, or ``AIRFLOW_CTX_DAG_ID`` for an environment."""
    from orchestrator.sdk.execution import context as running

    return running.context_to_airflow_vars(context, in_env_var_format)
