"""Decides how a notifier is called: as a callback, with its template fields rendered."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Any

from orchestrator.sdk.execution.templating.templater import Templater


class BaseNotifier(Templater):
    """Base of notifiers: a subclass gives ``notify(context)`` or ``async_notify(context)``."""

    template_fields: Collection[str] = ()
    template_ext: Sequence[str] = ()

    def __init__(self, context: Any = None) -> None:
        super().__init__()
        self.context = context or {}

    @property
    def log(self) -> logging.Logger:
        """Return the logger of this notifier."""
        return logging.getLogger(f"{type(self).__module__}.{type(self).__qualname__}")

    def get_dag(self) -> Any:
        """Return the DAG of the context, if there is one."""
        return self.context.get("dag")

    def notify(self, context: Any) -> None:
        """Send the message."""
        raise NotImplementedError(f"{type(self).__name__} must define notify(context)")

    async def async_notify(self, context: Any) -> None:
        """Send the message from an event loop."""
        raise NotImplementedError(f"{type(self).__name__} must define async_notify(context)")

    def _update_context(self, context: Any) -> Any:
        known = getattr(self, "context", None) or {}  # a subclass need not call this class's __init__
        merged = {**known, **(context or {})}
        merged.setdefault("dag", None)
        return merged

    def __call__(self, *args: Any) -> None:
        """Render the fields and notify; an error is logged, because a failed message must not fail a task.

        The one argument is the context; callbacks with more (dag, task list…) get them under ``message``.
        """
        self.context = self._update_context(args[0] if len(args) == 1 else {"message": args})
        try:
            self.render_template_fields(self.context)
            self.notify(self.context)
        except Exception:
            self.log.exception("Failed to send notification")

    def __await__(self) -> Any:
        async def send() -> None:
            self.render_template_fields(self.context)
            await self.async_notify(self.context)

        return send().__await__()
