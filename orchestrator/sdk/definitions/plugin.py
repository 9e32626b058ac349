"""Decides what a plugin may bring."""

from __future__ import annotations

from typing import Any, ClassVar


class AirflowPluginException(Exception):
    """A plugin that cannot be used."""


class AirflowPlugin:
    """Base of plugins: a subclass names itself and lists what it brings. ``source`` is set when it is loaded."""

    name: str | None = None
    source: str | None = None
    macros: ClassVar[list[Any]] = []
    admin_views: ClassVar[list[Any]] = []
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
    windows: ClassVar[list[Any]] = []
    deadline_references: ClassVar[list[Any]] = []
    listeners: ClassVar[list[Any]] = []
    hook_lineage_readers: ClassVar[list[Any]] = []
    priority_weight_strategies: ClassVar[list[Any]] = []

    @classmethod
    def validate(cls) -> None:
        """Raise ``AirflowPluginException`` for a plugin without a name."""
        if not cls.name:
            raise AirflowPluginException(f"Your plugin needs a name. Set `name` in {cls.__module__}.{cls.__qualname__}.")

    @classmethod
    def on_load(cls, *args: Any, **kwargs: Any) -> None:
        """Called once per process, when the plugin is loaded."""
