"""Decides the REST operations on the questions that tasks ask people."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from accounts.roles import Role
from accounts.tokens import is_open_access
from orchestrator.rest import scalars
from orchestrator.rest.bodies import Body, Field
from orchestrator.rest.errors import NotFoundError, ProblemError, RestError
from orchestrator.rest.lists import list_body
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.ordering import ordering
from orchestrator.rest.params import Param, between, equal, matching, one_of, order_param, page_params, params, states
from orchestrator.rest.patterns import contains
from orchestrator.rest.schemas import Schema
from runs.api.queries import ANY, attach_to_task_instances, attach_to_tries
from runs.api.schemas import TASK_INSTANCE, TRY
from runs.hitl.answers import answer_take
from runs.hitl.selectors import OF_THE_ANSWER, OF_THE_ATTEMPT, attach_attempts, attempt_of, params_of, questions
from runs.hitl.services import AlreadyAnsweredError, InvalidAnswerError, NotRespondentError
from runs.models import HITLDetail, TaskInstance, TaskInstanceHistory
from runs.states import TaskInstanceState

operations = Operations("Task Instance")


_QUESTION = Schema(
    "BaseHITLDetail",
    "subject",
    "body",
    "options",
    "defaults",
    "multiple",
    "created_at",
    "responded_at",
    "chosen_options",
    params=params_of,
    assigned_users=lambda row: row.assignees or [],
    responded_by_user="responded_by",
    params_input=lambda row: row.params_input or {},
    response_received=lambda row: row.responded_at is not None,
)
DETAIL = _QUESTION.extended("HITLDetail", task_instance=lambda row: TASK_INSTANCE.of(row.task_instance))
PAST_DETAIL = _QUESTION.extended("HITLDetailHistory", task_instance=lambda row: TRY.of(row.task_instance))
ANSWER = Schema("HITLDetailResponse", "responded_by", "responded_at", "chosen_options", "params_input")


def _search(name: str, column: str) -> Param:
    return Param(name, apply=lambda rows, value: rows.filter(contains(column, value)))


def _answered(rows: QuerySet[HITLDetail], value: bool) -> QuerySet[HITLDetail]:
    return rows.filter(responded_at__isnull=not value)


LIST = params(
    page_params(),
    order_param(),
    matching("dag_id", "dag_run__dag__dag_id"),
    equal("task_id", "task_id"),
    matching("task_id", "task_id"),
    equal("map_index", "map_index", scalars.integer),
    states("state", "ti_state", tuple(TaskInstanceState), "state", none=True),
    Param("response_received", scalars.switch, apply=_answered),
    one_of("responded_by_user_id", "answered_by_id"),
    one_of("responded_by_user_name", "answered_by_name"),
    _search("subject_search", "subject"),
    _search("body_search", "body"),
    between("created_at", "created_at"),
)
ORDER = ordering(
    "ti_id",
    "subject",
    "responded_at",
    "created_at",
    default=["ti_id"],
    key="ti_id",
    responded_by_user_id="answered_by_id",
    responded_by_user_name="answered_by_name",
    dag_id="dag_run__dag_id",
    run_id="dag_run__run_id",
    run_after="dag_run__run_after",
    task_display_name="ti_display_name",
    rendered_map_index="ti_index_name",
    task_instance_operator="ti_operator",
    task_instance_state="ti_state",
)
# Parameter -> the column that it needs.
_NEEDS = {"state": "ti_state", "responded_by_user_id": "answered_by_id", "responded_by_user_name": "answered_by_name"}


def _some_texts(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise ProblemError("list_type", "Input should be a valid list")
    if not value:
        context = {"field_type": "List", "min_length": 1, "actual_length": 0}
        raise ProblemError("too_short", "List should have at least 1 item after validation, not 0", context)
    return [scalars.text(item) for item in value]


BODY = Body(
    "UpdateHITLDetailPayload",
    {
        "chosen_options": Field(_some_texts, required=True, null=False),
        "params_input": Field(scalars.dictionary, null=False, default={}),
    },
)
_RUN = "/dags/{dag_id}/dagRuns/{dag_run_id}"
_ONE = _RUN + "/taskInstances/{task_id}/{map_index}/hitlDetails"
_TYPES = {"map_index": scalars.integer, "try_number": scalars.integer}


@operations.add("GET", _RUN + "/hitlDetails", "get_hitl_details", params=LIST)
def get_hitl_details(call: Call) -> dict[str, Any]:
    """Return questions; ``~`` stands for all DAGs and all runs."""
    ordered = {term.path for term in ORDER.terms(call.query["order_by"])}
    used = ordered | {column for name, column in _NEEDS.items() if call.query[name]}
    dag_id, run_id = (None if call.path[name] == ANY else call.path[name] for name in ("dag_id", "dag_run_id"))
    rows = questions(dag_id, run_id, used & {*OF_THE_ATTEMPT, *OF_THE_ANSWER})
    return list_body(rows, call.query, params=LIST, order=ORDER, schema=DETAIL, key="hitl_details", attach=_attach)


@operations.add("GET", _ONE, "get_hitl_detail", types=_TYPES)
def get_hitl_detail(call: Call) -> dict[str, Any]:
    """Return the question of a task instance."""
    question = _question(_attempt(call))
    _attach([question])
    return DETAIL.of(question)


@operations.add("GET", _ONE + "/tries/{try_number}", "get_hitl_detail_try_detail", types=_TYPES)
def get_hitl_detail_try_detail(call: Call) -> dict[str, Any]:
    """Return the question of one try of a task instance."""
    attempt = _attempt(call, call.path["try_number"])
    question = _question(attempt)
    attach_to_tries([attempt])
    question.task_instance = attempt  # type: ignore[attr-defined]
    return PAST_DETAIL.of(question)


@operations.add("PATCH", _ONE, "update_hitl_detail", role=Role.USER, body=BODY, types=_TYPES)
def update_hitl_detail(call: Call) -> dict[str, Any]:
    """Answer the question of a task instance; the first answer counts."""
    attempt = _attempt(call)
    _question(attempt)
    try:
        question = _answer(call, attempt)
    except HITLDetail.DoesNotExist:
        raise _no_question(attempt) from None
    except AlreadyAnsweredError:
        text = f"Human-in-the-loop detail has already been updated for Task Instance with id {attempt.pk} "
        raise RestError(409, text + "and is not allowed to write again.") from None
    except NotRespondentError:
        raise RestError(403, f"User={call.user_name} (id={call.user_name}) is not a respondent for the task.") from None
    except InvalidAnswerError as error:
        raise RestError(400, str(error)) from None
    return ANSWER.of(question)


def _answer(call: Call, attempt: TaskInstance | TaskInstanceHistory) -> HITLDetail:
    chosen, params_input = call.body["chosen_options"], call.body["params_input"]
    return answer_take(attempt, user=call.user_name, may_all=is_open_access(), chosen=chosen, params_input=params_input)


def _attempt(call: Call, try_number: int | None = None) -> TaskInstance | TaskInstanceHistory:
    path = call.path
    found = attempt_of(path["dag_id"], path["dag_run_id"], path["task_id"], path["map_index"], try_number)
    if found is None:
        where = f"dag_id: `{path['dag_id']}`, run_id: `{path['dag_run_id']}`, task_id: `{path['task_id']}`"
        raise NotFoundError(f"The Task Instance with {where} and map_index: `{path['map_index']}` was not found")
    return found


def _question(attempt: TaskInstance | TaskInstanceHistory) -> HITLDetail:
    question = HITLDetail.objects.filter(pk=attempt.pk).first()
    if question is None:
        raise _no_question(attempt)
    return question


def _no_question(attempt: TaskInstance | TaskInstanceHistory) -> NotFoundError:
    return NotFoundError(f"Human-in-the-loop detail does not exist for Task Instance with id {attempt.pk}")


def _attach(rows: Any) -> None:
    attach_to_task_instances(attach_attempts(rows))
