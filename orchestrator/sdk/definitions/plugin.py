"""Decides what a plugin may bring."""

from __future__ import annotations

from typing import Any, ClassVar


def hookimpl(function: Any = None, **_: Any) -> Any:
    """Mark a function of a listener; the mark itself says nothing more."""
    return function if function is not None else hookimpl


class AirflowPlugin:
    """Base of plugins: a subclass names itself and lists what it brings."""

    name: str | None = None
    macros: ClassVar[list[Any]] = []
    flask_blueprints: ClassVar[list[Any]] = []
    fastapi_apps: ClassVar[list[Any]] = []
    fastapi_root_middlewares: ClassVar[list[Any]] = []
    external_views: ClassVar[list[Any]] = []
    react_apps: ClassVar[list[Any]] = []
    menu_links: ClassVar[list[Any]] = []
    appbuilder_views: ClassVar[list[Any]] = []
    appbuilder_menu_items: ClassVar[list[Any]] = []
    global_operator_extra_links: ClassVar[list[Any]] = []
    operator_extra_links: ClassVar[list[Any]] = []
    timetables: ClassVar[list[Any]] = []
    partition_mappers: ClassVar[list[Any]] = []
    listeners: ClassVar[list[Any]] = []
    hook_lineage_readers: ClassVar[list[Any]] = []
    priority_weight_strategies: ClassVar[list[Any]] = []

    @classmethod
    def validate(cls) -> None:
        """Raise ``ValueError`` for a plugin without a name."""
        if not cls.name:
            raise ValueError(f"plugin {cls.__qualname__} needs a name")

    @classmethod
    def on_load(cls, *args: Any, **kwargs: Any) -> None:
        """Hook when the plugin is loaded."""
