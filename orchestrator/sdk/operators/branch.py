"""Decides how an operator that chooses among its downstream tasks works."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from orchestrator.sdk.definitions.operator import BaseOperator
from orchestrator.sdk.definitions.skipmixin import BranchMixIn, SkipMixin

__all__ = ["BaseBranchOperator", "BranchMixIn", "SkipMixin"]


class BaseBranchOperator(BaseOperator, BranchMixIn):
    """Base of branch operators: a subclass gives ``choose_branch(context)``."""

    def choose_branch(self, context: Any) -> str | Iterable[str] | None:
        """Return the id or ids of the tasks or groups to follow; None skips all."""
        raise NotImplementedError(f"{type(self).__name__} must define choose_branch(context)")

    def execute(self, context: Any) -> Any:
        """Choose, skip the others, return the choice."""
        return self.do_branch(context, self.choose_branch(context))
