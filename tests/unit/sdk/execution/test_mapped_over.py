"""Which tasks others map over: found once per DAG, so that an attempt costs the same in a DAG of any size."""

from datetime import datetime
from typing import Any

import pytest

from orchestrator.sdk import DAG, task, task_group
from orchestrator.sdk.definitions.abstract_operator import AbstractOperator
from orchestrator.sdk.definitions.task_group import TaskGroup
from orchestrator.sdk.execution.preload import warm
from tests.attempts import attempt


@task
def numbers() -> list[int]:
    return [1, 2]


@task
def show(number: Any = None) -> None:
    return None


@task_group
def pair(number: int) -> None:
    show(number)


def test_an_attempt_in_a_warmed_dag_walks_neither_groups_nor_relatives(monkeypatch: pytest.MonkeyPatch) -> None:
    with DAG("d", schedule=None, start_date=datetime(2026, 1, 1)) as dag:
        show.override(task_id="first")() >> show.override(task_id="second")()
    warm(dag)
    monkeypatch.setattr(TaskGroup, "get_task_group_dict", _refuse)
    monkeypatch.setattr(AbstractOperator, "get_flat_relatives", _refuse)
    assert attempt(dag, "first").final["type"] == "SucceedTask"


def test_tasks_that_a_task_or_a_group_maps_over_are_found_and_no_others() -> None:
    from orchestrator.sdk.execution.mapped_over import tasks_mapped_over

    with DAG("d", schedule=None, start_date=datetime(2026, 1, 1)) as dag:
        show.override(task_id="mapped").expand(number=numbers.override(task_id="for_task")())
        pair.expand(number=numbers.override(task_id="for_group")())
        show.override(task_id="plain")(numbers.override(task_id="passed")())
    assert tasks_mapped_over(dag) == {"for_task", "for_group"}


def _refuse(*_: Any, **__: Any) -> None:
    raise AssertionError("the whole DAG is looked at for one attempt")
