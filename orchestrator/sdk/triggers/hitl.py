"""Decides how a trigger waits for a person's answer; tasks of this SDK wait without one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, TypedDict

from orchestrator.sdk.definitions.param import Param, ParamsDict
from orchestrator.sdk.exceptions import ParamValidationError
from orchestrator.sdk.timezone import utcnow
from orchestrator.sdk.triggers.base import BaseTrigger, TriggerEvent


class HITLTriggerEventSuccessPayload(TypedDict, total=False):
    """What a task is told of an answer."""

    chosen_options: list[str]
    params_input: dict[str, Any]
    responded_by_user: dict[str, str] | None
    responded_at: datetime
    timedout: bool


class HITLTriggerEventFailurePayload(TypedDict):
    """What a task is told where there is no answer."""

    error: str
    error_type: str


class HITLTrigger(BaseTrigger):
    """Fires when the question of a task instance is answered or its time is over; looks every ``poke_interval`` seconds."""

    def __init__(
        self,
        *,
        ti_id: Any,
        options: list[str],
        params: dict[str, Any],
        defaults: list[str] | None = None,
        multiple: bool = False,
        timeout_datetime: datetime | None = None,
        poke_interval: float = 5.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.ti_id, self.options, self.defaults, self.multiple = ti_id, options, defaults, multiple
        self.params = ParamsDict({name: _param(value) for name, value in params.items()})
        self.timeout_datetime, self.poke_interval = timeout_datetime, poke_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return path and arguments."""
        names = ("ti_id", "options", "defaults", "multiple", "timeout_datetime", "poke_interval")
        params = {name: self.params.get_param(name).serialize() for name in self.params}
        arguments = {name: getattr(self, name) for name in names} | {"params": params}
        return "airflow.providers.standard.triggers.hitl.HITLTrigger", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look for the answer again and again."""
        from orchestrator.sdk.execution.hitl import get_hitl_detail_content_detail

        while True:
            is_late = self.timeout_datetime is not None and self.timeout_datetime < utcnow()
            answer = await asyncio.to_thread(get_hitl_detail_content_detail, self.ti_id)
            if answer.response_received and answer.chosen_options:
                yield TriggerEvent(self._told(answer))
                return
            if is_late:
                yield TriggerEvent(await self._by_default())
                return
            await asyncio.sleep(self.poke_interval)

    async def _by_default(self) -> dict[str, Any]:
        from orchestrator.sdk.execution.hitl import update_hitl_detail_response

        if self.defaults is None:
            return _failed("timeout", "The timeout has passed, and the response has not yet been received.")
        self.log.info("Nobody answered in time; going on with the default %s", self.defaults)
        values = self.params.dump()
        return self._told(await asyncio.to_thread(update_hitl_detail_response, self.ti_id, self.defaults, values))

    def _told(self, answer: Any) -> dict[str, Any]:
        try:
            for name, value in answer.params_input.items():
                self.params[name] = value
        except ParamValidationError as error:
            return _failed("validation", str(error))
        by = answer.responded_by_user
        return {
            "chosen_options": answer.chosen_options,
            "params_input": answer.params_input,
            "responded_at": answer.responded_at,
            "responded_by_user": {"id": by.id, "name": by.name} if by else None,
            "timedout": by is None,
        }


def _failed(kind: str, text: str) -> dict[str, Any]:
    return {"error": text, "error_type": kind}


def _param(value: Any) -> Param:
    if isinstance(value, dict) and {"description", "schema", "value"} <= value.keys():
        return Param(value["value"], value["description"], value.get("source"), schema=value["schema"])
    return Param(value)
