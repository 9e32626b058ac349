"""Decides what all built-in notifiers share: they remember their arguments, and say so when sending fails."""

from __future__ import annotations

from typing import Any

from orchestrator.sdk.definitions.notifier import BaseNotifier


class BuiltInNotifier(BaseNotifier):
    """Base of the notifiers that a worker can build again from their arguments."""

    def __init__(self, given: dict[str, Any], context: Any = None) -> None:
        super().__init__(context)
        self._given = {name: value for name, value in given.items() if value is not None}

    def arguments(self) -> dict[str, Any]:
        """Return the arguments that were given."""
        return self._given

    def deliver(self, context: Any) -> None:
        """Render and send; raises what goes wrong, so that the delivery is tried again."""
        context = self._update_context(context)
        self.render_template_fields(context, self.get_template_env())
        self.notify(context)

    def get_template_env(self, dag: Any = None) -> Any:
        """Return the DAG's environment, a plain one where the DAG's file was not loaded."""
        import jinja2

        from orchestrator.sdk.execution.templating.environment import create_template_env, environment_of

        owner = dag if dag is not None else self.get_dag()
        if getattr(owner, "task_dict", None) is not None:
            return environment_of(owner)
        # A name that is not known here leaves a gap in the message; it must not stop it.
        return create_template_env(template_undefined=jinja2.ChainableUndefined)

    async def async_notify(self, context: Any) -> None:
        """Send from an event loop, without blocking it."""
        import asyncio

        await asyncio.to_thread(self.notify, context)


def connection_or_none(conn_id: str | None) -> Any:
    """Return a connection, None where it does not exist."""
    from orchestrator.sdk.exceptions import AirflowNotFoundException
    from orchestrator.sdk.hooks.base import BaseHook

    if not conn_id:
        return None
    try:
        return BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        return None
