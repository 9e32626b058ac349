"""Decides how a task asks people, and how it (or its trigger) reads and gives the answer."""

from __future__ import annotations

from typing import Any, Final

from executionapi.calls import Call, Operation, one_by_one
from executionapi.documents import moment
from executionapi.fields import Field, InvalidError, Reader, array, boolean, mapping, optional, read_object, text, uuid
from executionapi.operations.attempts import missing_or_gone, own_rows
from executionapi.replies import RefusalError, Reply, not_found
from orchestrator.kernel.clock import utcnow
from runs.hitl.services import AlreadyAnsweredError, question_ask, question_note
from runs.models import HITLDetail


def _text_list(value: Any) -> list[str]:
    return [text(item) for item in array(value)]


def _some_texts(value: Any) -> list[str]:
    if not (found := _text_list(value)):
        message = "List should have at least 1 item after validation, not 0"
        raise InvalidError("too_short", message, field_type="List", min_length=1, actual_length=0)
    return found


def _people(value: Any) -> list[dict[str, str]]:
    return [{name: text(mapping(item).get(name)) for name in ("id", "name")} for item in array(value)]


def _optional_field(name: str, read: Reader, default: Any = None) -> Field:
    return Field(name, read, required=False, default=default)


_QUESTION: Final = (
    Field("ti_id", uuid),
    Field("options", _some_texts),
    Field("subject", text),
    _optional_field("body", optional(text)),
    _optional_field("defaults", optional(_text_list)),
    _optional_field("multiple", boolean, default=False),
    _optional_field("params", optional(mapping)),
    _optional_field("assigned_users", optional(_people)),
)
_ANSWER: Final = (
    Field("ti_id", uuid),
    Field("chosen_options", _some_texts),
    _optional_field("params_input", optional(mapping)),
)


def _read(call: Call, fields: tuple[Field, ...]) -> dict[str, Any]:
    """Read a body; what a newer worker says besides is ignored, as in Airflow."""
    call.ti_id  # noqa: B018  refuses a path that holds no UUID
    known = {field.name for field in fields}
    body = {k: v for k, v in call.body.items() if k in known} if isinstance(call.body, dict) else call.body
    return read_object(body, fields)


def read_question(call: Call) -> dict[str, Any]:
    """The question."""
    return _read(call, _QUESTION)


def read_answer(call: Call) -> dict[str, Any]:
    """The answer."""
    return _read(call, _ANSWER)


def ask(call: Call) -> Reply:
    """Write the question of the attempt; asked again, it loses its answer."""
    row = own_rows([call]).get(call.ti_id)
    if row is None:
        raise missing_or_gone(call.ti_id)
    body = call.value
    given = {name: body[name] for name in ("options", "subject", "body", "defaults", "multiple")}
    question = question_ask(
        row, given | {"params": body["params"] or {}, "assignees": body["assigned_users"] or []}, now=utcnow()
    )
    shown = {name: getattr(question, name) for name in (*given, "params")}
    return Reply(201, {"ti_id": str(question.pk), **shown, "assigned_users": question.assignees})


def answer(call: Call) -> Reply:
    """Write the answer that the attempt's own trigger gives when time is over."""
    question = _own(call)
    try:
        question_note(question, chosen=call.value["chosen_options"], params_input=call.value["params_input"] or {}, now=utcnow())
    except AlreadyAnsweredError:
        raise RefusalError(409, f"Human-in-the-loop detail for Task Instance with id {call.ti_id} already exists.") from None
    return Reply(200, _answer_document(question))


def read(call: Call) -> Reply:
    """The answer so far."""
    return Reply(200, _answer_document(_own(call)))


def _own(call: Call) -> HITLDetail:
    question = HITLDetail.objects.filter(pk=call.ti_id).first()
    if question is None:
        raise not_found("This task instance asked no question; it was probably cleared before somebody answered.")
    return question


def _answer_document(question: HITLDetail) -> dict[str, Any]:
    return {
        "response_received": question.responded_at is not None,
        "responded_by_user": question.responded_by,
        "responded_at": moment(question.responded_at),
        "chosen_options": question.chosen_options or [],
        "params_input": question.params_input or {},
    }


_PATH: Final = "hitlDetails/{task_instance_id}"

OPERATIONS: Final = (
    Operation("POST", _PATH, one_by_one(ask), read_question, own=True, writes=True),
    Operation("PATCH", _PATH, one_by_one(answer), read_answer, own=True, writes=True),
    Operation("GET", _PATH, one_by_one(read), own=True),
)
