"""Decides how a task or its trigger writes a question to people and reads the answer."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any, TypedDict
from uuid import UUID

from orchestrator.sdk.execution.channel import Message, ask


class HITLUser(TypedDict):
    """A person by id and name."""

    id: str
    name: str


def upsert_hitl_detail(
    ti_id: UUID,
    options: list[str],
    subject: str,
    body: str | None = None,
    defaults: list[str] | None = None,
    multiple: bool = False,
    params: dict[str, Any] | None = None,
    assigned_users: list[HITLUser] | None = None,
) -> None:
    """Write the question of the running attempt; one that was there loses its answer."""
    people = [{"id": str(user["id"]), "name": str(user["name"])} for user in assigned_users or ()]
    question = {"options": options, "subject": subject, "body": body, "defaults": defaults, "multiple": multiple}
    ask({"type": "CreateHITLDetailPayload", "ti_id": str(ti_id), **question, "params": params, "assigned_users": people})


def update_hitl_detail_response(ti_id: UUID, chosen_options: list[str], params_input: dict[str, Any]) -> SimpleNamespace:
    """Write the answer that nobody else gave; returns it. Raises ``AirflowRuntimeError`` where there is one already."""
    answer = {"chosen_options": chosen_options, "params_input": params_input}
    return _answer(ask({"type": "UpdateHITLDetail", "ti_id": str(ti_id), **answer}))


def get_hitl_detail_content_detail(ti_id: UUID) -> SimpleNamespace:
    """Return the answer so far: response_received, responded_at, responded_by_user, chosen_options, params_input."""
    return _answer(ask({"type": "GetHITLDetailResponse", "ti_id": str(ti_id)}))


def _answer(message: Message) -> SimpleNamespace:
    at, by = message.get("responded_at"), message.get("responded_by_user")
    return SimpleNamespace(
        response_received=bool(message.get("response_received")),
        responded_at=datetime.fromisoformat(at) if at else None,
        responded_by_user=SimpleNamespace(id=by["id"], name=by["name"]) if by else None,
        chosen_options=list(message.get("chosen_options") or []),
        params_input=dict(message.get("params_input") or {}),
    )
