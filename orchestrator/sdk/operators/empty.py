"""Decides what a task without work is."""

from __future__ import annotations

from typing import Any

from orchestrator.sdk.definitions.operator import BaseOperator


class EmptyOperator(BaseOperator):
    """Does nothing; the scheduler ends it without a process unless it has callbacks or outlets."""

    ui_color = "#e8f7e4"
    inherits_from_empty_operator = True

    def execute(self, context: Any) -> None:
        """Do nothing."""
