"""Decides how an asynchronous callback of a deadline runs in the triggerer."""

from __future__ import annotations

import logging
import traceback
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

from orchestrator.sdk.triggers.base import BaseTrigger, TriggerEvent

log = logging.getLogger(__name__)

PATH = "airflow.triggers.callback.CallbackTrigger"
PAYLOAD_STATUS_KEY = "state"
PAYLOAD_BODY_KEY = "body"


class CallbackTrigger(BaseTrigger):
    """Awaits the callable that ``callback_path`` names; its event says how that ended."""

    def __init__(self, callback_path: str, callback_kwargs: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.callback_path, self.callback_kwargs = callback_path, dict(callback_kwargs or {})

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return path and arguments."""
        return PATH, {"callback_path": self.callback_path, "callback_kwargs": self.callback_kwargs}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Await the callback; whatever it raises is its event too."""
        try:
            result = await self._call()
        except Exception as error:
            log.exception("The callback %s failed", self.callback_path)
            text = "".join(traceback.format_exception(error))
            yield TriggerEvent({PAYLOAD_STATUS_KEY: "failed", PAYLOAD_BODY_KEY: text})
        else:
            yield TriggerEvent({PAYLOAD_STATUS_KEY: "success", PAYLOAD_BODY_KEY: None if result is None else str(result)})

    async def _call(self) -> Any:
        from orchestrator.sdk.execution.deliveries import takes_context

        module_name, _, name = self.callback_path.rpartition(".")
        function = getattr(import_module(module_name), name)
        kwargs = dict(self.callback_kwargs)
        context = kwargs.pop("context", None)
        if context is not None and takes_context(function):
            kwargs["context"] = context
        return await function(**kwargs)
