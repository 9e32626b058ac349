"""Template fields that are functions, and values that are neither true nor false."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.sdk.definitions.dag import DAG
from orchestrator.sdk.definitions.operator import BaseOperator
from orchestrator.sdk.operators.bash import BashOperator
from tests.attempts import attempt


class Holder(BaseOperator):
    template_fields = ("held",)

    def __init__(self, *, held: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.held = held

    def execute(self, context: Any) -> Any:
        return self.held


def command(context: Any, jinja_env: Any) -> str:
    return str(jinja_env.from_string("echo {{ run_id }}").render(context)) + " {{ ds }}"


def shown(make: Any) -> Any:
    with DAG("d", schedule=None) as dag:
        make()
    return attempt(dag, "t").of_type("SetRenderedFields")[-1]["rendered_fields"]


def test_a_function_in_a_template_field_is_called_with_context_and_environment() -> None:
    assert shown(lambda: BashOperator(task_id="t", bash_command=command))["bash_command"] == "echo r {{ ds }}"


def test_a_function_within_a_list_is_left_alone() -> None:
    assert shown(lambda: Holder(task_id="t", held=[command]))["held"] == [f"<callable {__name__}.command>"]


def test_a_function_that_takes_other_arguments_fails_the_task() -> None:
    with DAG("d", schedule=None) as dag:
        Holder(task_id="t", held=lambda x: x)
    assert "unexpected keyword argument" in attempt(dag, "t").final["evidence"]["cause_detail"]


class Table:
    """As a DataFrame."""

    def __bool__(self) -> bool:
        raise ValueError("The truth value is ambiguous.")

    def __repr__(self) -> str:
        return "rows"


@pytest.mark.parametrize(("held", "expected"), [(Table(), "rows"), (0, 0), (None, None), ("", "")])
def test_a_value_need_be_neither_true_nor_false(held: Any, expected: Any) -> None:
    assert shown(lambda: Holder(task_id="t", held=held))["held"] == expected


class Word(str):
    """As a member of an enum of texts."""

    def __str__(self) -> str:
        return "Size.SMALL"


def test_a_text_of_another_class_is_rendered_as_jinja_writes_it() -> None:
    assert shown(lambda: Holder(task_id="t", held={"size": Word("small"), "text": "small"}))["held"] == {
        "size": "Size.SMALL",
        "text": "small",
    }
