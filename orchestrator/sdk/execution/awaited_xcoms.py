"""Decides how a coroutine pulls and pushes XComs: as any other code, while its event loop goes on."""

from __future__ import annotations

from typing import Any

from orchestrator.sdk.awaiting import in_thread


class AwaitedXComs:
    """``axcom_pull`` and ``axcom_push`` of a task instance, with the arguments of the calls that block."""

    async def axcom_pull(self, *args: Any, **kwargs: Any) -> Any:
        """As ``xcom_pull``."""
        return await in_thread(self.xcom_pull, *args, **kwargs)  # type: ignore[attr-defined]

    async def axcom_push(self, key: str, value: Any) -> None:
        """As ``xcom_push``."""
        await in_thread(self.xcom_push, key, value)  # type: ignore[attr-defined]
