"""Decides what the server is told of plugins: names and class paths as JSON, never objects and never arguments."""

from __future__ import annotations

from typing import Any

from orchestrator.sdk.plugins.loading import Loaded
from orchestrator.sdk.plugins.registering import class_path

_PATHS = ("macros", "timetables", "priority_weight_strategies", "listeners")
_OBJECTS = ("global_operator_extra_links", "operator_extra_links")
_PATHS_MORE = ("partition_mappers", "windows", "deadline_references")
_PLAIN = ("external_views", "react_apps", "appbuilder_menu_items")


def describe(loaded: Loaded) -> dict[str, Any]:
    """Return ``{"plugins": [...], "errors": [{"source", "error"}]}``; ``hooks`` of a plugin are what its listeners hear."""
    plugins = []
    errors = dict(loaded.errors)
    for plugin in loaded.plugins:
        try:
            plugins.append(_describe(plugin))
        except Exception as error:
            errors[str(plugin.source)] = f"The plugin {plugin.name!r} cannot be described: {type(error).__name__}: {error}"
    listed = [{"source": source, "error": text} for source, text in errors.items()]
    return {"plugins": plugins, "errors": listed}


def _describe(plugin: Any) -> dict[str, Any]:
    from orchestrator.sdk.listeners.hooks import heard

    info: dict[str, Any] = {"name": str(plugin.name), "source": str(plugin.source)}
    for name in (*_PATHS, *_PATHS_MORE):
        info[name] = [class_path(item) for item in getattr(plugin, name, ())]
    for name in _OBJECTS:
        info[name] = [f"<{class_path(type(item))} object>" for item in getattr(plugin, name, ())]
    for name in _PLAIN:
        info[name] = [_plain(item) for item in getattr(plugin, name, ()) if isinstance(item, dict)]
    info["hooks"] = sorted(heard(Loaded([plugin])))
    info["flask_blueprints"] = [_blueprint(item) for item in plugin.flask_blueprints]
    info["fastapi_apps"] = [{**_plain(item), "app": class_path(type(item.get("app")))} for item in plugin.fastapi_apps]
    info["fastapi_root_middlewares"] = [_middleware(item) for item in plugin.fastapi_root_middlewares]
    info["appbuilder_views"] = [{**_plain(item), "view": class_path(type(item.get("view")))} for item in plugin.appbuilder_views]
    return info


def _middleware(item: dict[str, Any]) -> dict[str, Any]:
    """Arguments may hold secrets: they are left out."""
    return {"name": item.get("name"), "middleware": class_path(item.get("middleware"))}


def _blueprint(item: Any) -> str:
    names = f"name={getattr(item, 'name', '')!r} import_name={getattr(item, 'import_name', '')!r}"
    return f"<{class_path(type(item))}: {names}>"


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in item.items() if isinstance(value, str | int | float | bool | type(None))}
