"""Decides what a person would answer in a run in memory: what the test gives, else the defaults of the question."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from orchestrator.sdk.testing.store import Store, TaskResult


class NoAnswerError(RuntimeError):
    """A task asks people, and neither the test nor the task's defaults say what they answer."""


def answer_to(store: Store, instance: TaskResult, now: datetime, *, has_limit: bool) -> dict[str, Any]:
    """Return the event with the answer to the question of a task instance, found by task id or ``task[index]``.

    A question with a time limit and without defaults, which nobody answers, ends as a timeout.

    Raises:
        NoAnswerError: nobody says; the text names the task and how to give an answer.
    """
    question = store.questions.get(instance.id, {})
    given = store.answers.get(instance.label) or store.answers.get(instance.task_id)
    chosen = given["chosen_options"] if given and "chosen_options" in given else question.get("defaults")
    if chosen is None and has_limit:
        return {"error": "The time to answer is over, and the question has no defaults.", "error_type": "timeout"}
    if chosen is None:
        raise NoAnswerError(
            f"Task {instance.label!r} of DAG {instance.dag_id!r} asks people {question.get('subject')!r} with the options "
            f"{question.get('options')}, and has no default. Give an answer: "
            f"answers={{{instance.task_id!r}: {{'chosen_options': [...], 'params_input': {{}}}}}}."
        )
    inputs = {name: _value(param) for name, param in (question.get("params") or {}).items()}
    inputs |= (given or {}).get("params_input") or {}
    person = {"id": "test", "name": "test"} if given else {"id": "Fallback to defaults", "name": "Fallback to defaults"}
    response = {"chosen_options": list(chosen), "params_input": inputs, "responded_at": now, "responded_by_user": person}
    question["response"] = {**response, "responded_at": now.isoformat(), "response_received": True}
    return {**response, "timedout": given is None}


def _value(param: Any) -> Any:
    return param.get("value") if isinstance(param, dict) and "value" in param else param
