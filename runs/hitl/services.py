"""Decides how questions to people are asked, answered and given up; each function runs in its caller's transaction.

Lock order: the attempt, then its question, as where the worker lets go: an answer at that moment is never lost and never
counted twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from orchestrator.database import for_update
from runs import transitions
from runs.hitl.events import NOBODY_ANSWERED, event_of
from runs.models import HITLDetail, TaskInstance
from runs.resumptions import Resumption
from runs.states import TaskInstanceState

_WAITS = (TaskInstanceState.AWAITING_INPUT, TaskInstanceState.DEFERRED)
_UNANSWERED: dict[str, Any] = {"responded_at": None, "responded_by": None, "chosen_options": None, "params_input": {}}


class AlreadyAnsweredError(Exception):
    """Somebody else answered first."""


class NotRespondentError(Exception):
    """The question is for others."""


class InvalidAnswerError(Exception):
    """The answer is none of those that the question allows; the text is Airflow's."""


def question_ask(row: TaskInstance, question: Mapping[str, Any], *, now: datetime) -> HITLDetail:
    """Write the question of an attempt; one that was asked before stays as it is, without its answer."""
    fields = {"dag_run_id": row.dag_run_id, "task_id": row.task_id, "map_index": row.map_index, "created_at": now, **question}
    found, is_new = HITLDetail.objects.get_or_create(ti_id=row.pk, defaults=fields)
    if not is_new and found.responded_at is not None:
        _write(found, **_UNANSWERED)
    return found


def question_note(question: HITLDetail, *, chosen: list[str], params_input: dict[str, Any], now: datetime) -> None:
    """Write the answer that the attempt itself gives. Raises ``AlreadyAnsweredError``."""
    if HITLDetail.objects.select_for_update().get(pk=question.pk).responded_at is not None:
        raise AlreadyAnsweredError
    _write(question, responded_at=now, responded_by=None, chosen_options=chosen, params_input=params_input)


def question_answer(
    ti_id: UUID, *, user: str, may_all: bool, chosen: list[str], params_input: dict[str, Any], now: datetime
) -> HITLDetail:
    """Write a person's answer; an attempt that waits for it goes on. Of several at the same time the first counts.

    Args:
        may_all: the person may answer questions that are for others.

    Raises ``HITLDetail.DoesNotExist``, ``AlreadyAnsweredError``, ``NotRespondentError``, ``InvalidAnswerError``.
    """
    row = for_update(TaskInstance.objects.filter(pk=ti_id)).first()
    question = HITLDetail.objects.select_for_update().get(pk=ti_id)
    if question.responded_at is not None:
        raise AlreadyAnsweredError
    if question.assignees and not may_all and user not in {person["id"] for person in question.assignees}:
        raise NotRespondentError
    _check(question, chosen)
    by = {"id": user, "name": user}
    _write(question, responded_at=now, responded_by=by, chosen_options=chosen, params_input=params_input)
    if row is not None and row.state in _WAITS:
        transitions.resume([Resumption(row.pk, row.trigger_id, event=event_of(question))], now=now)
    return question


def question_expire(ti_id: UUID, *, now: datetime) -> bool:
    """Let an attempt go on whose question nobody answered in time: by its defaults, else with an error.

    False: it does not wait any more. The question is then never looked at again.
    """
    row = for_update(TaskInstance.objects.filter(pk=ti_id, state=TaskInstanceState.AWAITING_INPUT)).first()
    question = HITLDetail.objects.select_for_update().get(pk=ti_id)
    if row is None:
        _write(question, expires_at=None)
        return False
    event: Any = NOBODY_ANSWERED
    if question.responded_at is not None:
        event = event_of(question)
    elif question.defaults is not None:
        values = {name: _value(param) for name, param in question.params.items()}
        _write(question, responded_at=now, responded_by=None, chosen_options=list(question.defaults), params_input=values)
        event = event_of(question, timedout=True)
    _write(question, expires_at=None)
    transitions.resume([Resumption(row.pk, None, event=event)], now=now)
    return True


def _check(question: HITLDetail, chosen: list[str]) -> None:
    unknown = set(chosen) - set(question.options)
    if unknown:
        raise InvalidAnswerError(f"Invalid options {sorted(unknown)}; allowed options are {sorted(set(question.options))}.")
    if not question.multiple and len(chosen) > 1:
        raise InvalidAnswerError("Multiple options chosen but this Human-in-the-loop task accepts only a single option.")


def _value(param: Any) -> Any:
    return param["value"] if isinstance(param, dict) and "value" in param else param


def _write(question: HITLDetail, **values: Any) -> None:
    for name, value in values.items():
        setattr(question, name, value)
    question.save(update_fields=list(values))
