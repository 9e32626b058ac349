"""Decides the facts of the trigger that waits for a person's answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from orchestrator.sdk.triggers.base import BaseTrigger


class HITLTrigger(BaseTrigger):
    """Fires when the question of a task instance is answered or its time is over."""

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
        self.ti_id, self.options, self.params, self.defaults = ti_id, options, params, defaults
        self.multiple, self.timeout_datetime, self.poke_interval = multiple, timeout_datetime, poke_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return path and arguments."""
        names = ("ti_id", "options", "params", "defaults", "multiple", "timeout_datetime", "poke_interval")
        return "airflow.providers.standard.triggers.hitl.HITLTrigger", {name: getattr(self, name) for name in names}
