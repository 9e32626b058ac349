"""Decides how an operator that works in an event loop is run."""

from __future__ import annotations

from typing import Any

from orchestrator.sdk.definitions.operator import BaseOperator


class BaseAsyncOperator(BaseOperator):
    """Base of operators that work in an event loop: a subclass gives ``aexecute(context)``."""

    @property
    def is_async(self) -> bool:
        """Return True."""
        return True

    async def aexecute(self, context: Any) -> Any:
        """Do the work; the return value is pushed as XCom."""
        raise NotImplementedError(f"{type(self).__name__} must define aexecute(context)")

    def execute(self, context: Any) -> Any:
        """Run ``aexecute`` to its end, at most ``execution_timeout`` long."""
        import asyncio

        async def bounded() -> Any:
            seconds = self.execution_timeout.total_seconds() if self.execution_timeout else None
            return await asyncio.wait_for(self.aexecute(context), timeout=seconds)

        return asyncio.run(bounded())
