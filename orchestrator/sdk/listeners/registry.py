"""Decides what ``get_listener_manager()`` gives to code that was written for Airflow's."""

from __future__ import annotations

from typing import Any

from orchestrator.sdk.listeners import hooks
from orchestrator.sdk.plugins.loading import plugins


class _Hooks:
    """``manager.hook.<name>(...)`` calls all listeners of a hook."""

    def __getattr__(self, name: str) -> Any:
        if name not in hooks.HOOKS:
            raise AttributeError(f"there is no hook {name!r}; hooks are {', '.join(hooks.HOOKS)}")
        return lambda **arguments: hooks.call(name, **arguments)


class ListenerManager:
    """The listeners of this process."""

    hook = _Hooks()

    @property
    def has_listeners(self) -> bool:
        """Tell whether anybody listens."""
        return bool(hooks.heard(plugins()))

    def add_listener(self, listener: Any) -> None:
        """Register a module or object whose functions carry the mark."""
        hooks.add_listener(listener)

    def clear(self) -> None:
        """Forget the listeners that were added one by one."""
        hooks.clear_listeners()


_manager = ListenerManager()


def get_listener_manager() -> ListenerManager:
    """Return the one manager of this process."""
    return _manager
