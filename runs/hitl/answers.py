"""Decides how a person's answer is taken: in one transaction with its line in the audit log, whichever door it comes through."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.services import audit_write
from orchestrator.kernel.clock import utcnow
from runs.hitl.services import question_answer
from runs.models import HITLDetail, TaskInstance, TaskInstanceHistory


def answer_take(
    attempt: TaskInstance | TaskInstanceHistory, *, user: str, may_all: bool, chosen: list[str], params_input: dict[str, Any]
) -> HITLDetail:
    """Write the answer to the question of an attempt, and who gave it. Raises what ``question_answer`` does."""
    with transaction.atomic():
        question = question_answer(attempt.pk, user=user, may_all=may_all, chosen=chosen, params_input=params_input, now=utcnow())
        place = {"dag_id": attempt.dag_id, "run_id": attempt.run_id, "task_id": attempt.task_id, "map_index": attempt.map_index}
        given = {"chosen_options": chosen, "params_input": params_input}
        audit_write("update_hitl_detail", actor=user, extra=given, try_number=attempt.try_number, **place)
    return question
