"""Decides two triggers for tests of deferring operators: one that fires at once, one that fails at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from orchestrator.sdk.triggers.base import BaseTrigger, TriggerEvent


class SuccessTrigger(BaseTrigger):
    """Fires at once."""

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the import path and no arguments."""
        return "airflow.triggers.testing.SuccessTrigger", {}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event."""
        yield TriggerEvent(True)


class FailureTrigger(BaseTrigger):
    """Fails at once."""

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the import path and no arguments."""
        return "airflow.triggers.testing.FailureTrigger", {}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Raise ``ValueError``."""
        nothing: tuple[TriggerEvent, ...] = ()
        for event in nothing:
            yield event
        raise ValueError("This trigger fails on purpose.")
