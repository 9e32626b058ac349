"""Decides what the inbox of questions to people shows: the questions of a list, and the form of the one that is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet
from django.http import QueryDict

from orchestrator.rest.errors import RestError
from orchestrator.ui.lists import changed, without_empty
from runs.api.hitl import LIST
from runs.hitl.selectors import attach_attempts, params_of, questions
from runs.models import HITLDetail
from runs.pages.param_fields import Section, fields_of, sections_of
from runs.pages.param_values import read_fields

ROWS = 30
MOST_BUTTONS = 4
# word of the address -> what the REST list calls it
SHOWN = {"pending": False, "answered": True, "all": None}


@dataclass(frozen=True, slots=True)
class Where:
    """The part of the platform that the inbox is about; without a DAG it is all of it."""

    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    map_index: int = -1


@dataclass(frozen=True, slots=True)
class Inbox:
    """The list: ``rows`` with their attempts, and the addresses of its filters and pages."""

    rows: Sequence[HITLDetail]
    shown: str
    tabs: Sequence[tuple[str, str, bool]]
    dag_id: str
    subject: str
    next_url: str
    previous_url: str
    error: str = ""


def inbox_of(where: Where, query: QueryDict) -> Inbox:
    """Return a page of the list by a constant number of queries."""
    shown = query.get("show", "pending")
    shown = shown if shown in SHOWN else "pending"
    offset, error = _offset(query), ""
    try:
        rows = _narrowed(where, shown, query)
    except RestError as refusal:
        rows, error = HITLDetail.objects.none(), str(refusal.detail)
    found = list(rows.defer("body", "params")[offset : offset + ROWS + 1])
    attach_attempts(found[:ROWS])
    return Inbox(
        rows=found[:ROWS],
        shown=shown,
        tabs=[(word, changed(query, ("id", "offset"), show=word), word == shown) for word in SHOWN],
        dag_id=query.get("dag_id_pattern", ""),
        subject=query.get("subject_search", ""),
        next_url=changed(query, ("id",), offset=offset + ROWS) if len(found) > ROWS else "",
        previous_url=changed(query, ("id",), offset=max(0, offset - ROWS)) if offset else "",
        error=error,
    )


def _offset(query: QueryDict) -> int:
    text = query.get("offset", "")
    return int(text) if text.isdecimal() and len(text) < 7 else 0


def _narrowed(where: Where, shown: str, query: QueryDict) -> QuerySet[HITLDetail]:
    rows = questions(where.dag_id, where.run_id)
    if where.task_id is not None:
        rows = rows.filter(task_id=where.task_id, map_index=where.map_index)
    values = LIST.read(without_empty(query)) | {"response_received": SHOWN[shown]}
    rows = LIST.narrow(rows, values)
    if shown == "pending":
        return rows.order_by(F("expires_at").asc(nulls_last=True), "created_at", "pk")
    return rows.order_by(F("responded_at").desc(nulls_first=True), "-created_at", "pk")


def question_find(ti_id: str | UUID) -> HITLDetail | None:
    """Return a question of a current attempt with that attempt as ``task_instance``; None where there is none."""
    try:
        key = UUID(str(ti_id))
    except ValueError:
        return None
    found = questions(None, None).filter(pk=key).first()
    if found is not None:
        attach_attempts([found])
    return found


@dataclass(slots=True)
class AnswerForm:
    """The form of a question. ``problems``: what is wrong with a param, by name; ``problem``: with all of it."""

    question: HITLDetail
    chosen: list[str]
    values: dict[str, Any] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    raw: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""

    @property
    def params(self) -> dict[str, Any]:
        """The params that are asked for."""
        return params_of(self.question)

    @property
    def sections(self) -> list[Section]:
        """The fields, as the template of the trigger form shows them."""
        return sections_of(fields_of(self.params, self.values, self.problems, self.raw))

    @property
    def has_buttons(self) -> bool:
        """True where each option is a button of its own, so that one touch answers."""
        return not self.question.multiple and len(self.question.options) <= MOST_BUTTONS

    @property
    def is_wrong(self) -> bool:
        """True where it cannot be sent so."""
        return bool(self.problems or self.problem)


def first_answer(question: HITLDetail) -> AnswerForm:
    """Return the form with the defaults of the question."""
    return AnswerForm(question, list(question.defaults or []))


def sent_answer(question: HITLDetail, data: QueryDict) -> AnswerForm:
    """Return what was sent with what is wrong with it; what the options allow is decided where the answer is taken."""
    read = read_fields(params_of(question), data)
    form = AnswerForm(question, [text for text in data.getlist("chosen") if text], read.conf, read.problems, read.raw)
    if not form.chosen:
        form.problem = "Choose an option."
    elif form.problems:
        form.problem = "The answer was not taken: some fields need another value."
    return form
