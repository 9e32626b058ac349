"""Decides which plugins a process has: found once, loaded once, each failure kept apart with where it came from.

Call it only where user code may run: the parse process, the task process, the triggerer's child. Nothing is loaded before
something asks, and a process without plugins imports nothing more than this module.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import inspect
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from orchestrator.sdk.plugins import places

log = logging.getLogger("airflow.plugins_manager")

EXAMPLES = "$EXAMPLES_FOLDER"
AIRFLOWS_EXAMPLES = "airflow.example_dags.plugins"


@dataclass(slots=True)
class Loaded:
    """``plugins`` are instances of ``AirflowPlugin``; ``errors`` maps a source (a path or package) to what is wrong."""

    plugins: list[Any] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    def all(self, attribute: str) -> list[Any]:
        """Return what all plugins list under one attribute, in the order of loading."""
        return [item for plugin in self.plugins for item in getattr(plugin, attribute, ())]


@dataclass(slots=True)
class _State:
    folders: list[tuple[str, str]] = field(default_factory=list)
    syntax: str = "glob"
    loaded: Loaded | None = None


_state = _State()


def configure(plugins_folder: str, examples_folder: str = "", syntax: str = "glob") -> None:
    """Say where plugin files are; forgets what was loaded from other places.

    :param examples_folder: folder of our example plugins, read after the other one; empty for none. With it, the example
        plugins of Airflow are read too where its example files are installed.
    """
    folders = [(plugins_folder, "$PLUGINS_FOLDER"), (examples_folder, EXAMPLES)]
    chosen = [pair for index, pair in enumerate(folders) if pair[0] and pair[0] not in [f for f, _ in folders[:index]]]
    if (chosen, syntax) != (_state.folders, _state.syntax):
        _state.folders, _state.syntax, _state.loaded = chosen, syntax, None


def is_loaded() -> bool:
    """Tell whether plugins were loaded in this process."""
    return _state.loaded is not None


def plugins() -> Loaded:
    """Return the plugins of this process, loading and registering them at the first call; never raises for a bad plugin."""
    if _state.loaded is None:
        _state.loaded = loaded = Loaded()
        for folder, shown in _state.folders:
            _load_folder(folder, shown, loaded)
        if any(shown == EXAMPLES for _, shown in _state.folders):
            _load_folder(_airflows_examples(), AIRFLOWS_EXAMPLES, loaded, f"{AIRFLOWS_EXAMPLES}.")
        _load_entry_points(loaded)
        if loaded.plugins:
            from orchestrator.sdk.plugins.registering import register

            register(loaded)
    return _state.loaded


@contextmanager
def no_plugins() -> Iterator[None]:
    """Have none inside of the block, and load none; afterwards it is as before."""
    before, _state.loaded = _state.loaded, Loaded()
    try:
        yield
    finally:
        _state.loaded = before


def forget() -> None:
    """Drop what was loaded; for tests."""
    _state.loaded, _state.folders = None, []


def is_plugin(value: Any) -> bool:
    """Tell whether a value is a class of a plugin; raises ``AirflowPluginException`` for one without a name."""
    if not inspect.isclass(value):
        return False
    from orchestrator.sdk.definitions.plugin import AirflowPlugin

    if value is AirflowPlugin or not issubclass(value, AirflowPlugin):
        return False
    value.validate()
    return True


def _airflows_examples() -> str:
    folders = (os.path.join(entry or ".", *AIRFLOWS_EXAMPLES.split(".")) for entry in sys.path)
    return next((folder for folder in folders if os.path.isdir(folder)), "")


def _load_folder(folder: str, shown: str, loaded: Loaded, prefix: str = "") -> None:
    for path in places.plugin_files(folder, _state.syntax):
        try:
            classes = [value for value in vars(_import(path, prefix)).values() if is_plugin(value)]
        except (Exception, SystemExit) as error:
            log.exception("Failed to import plugin %s", path)
            loaded.errors[path] = _text(error)
            continue
        for kind in dict.fromkeys(classes):
            _add(kind, f"{shown}/{os.path.relpath(path, folder)}", loaded)


def _load_entry_points(loaded: Loaded) -> None:
    for point in places.entry_points(places.PLUGIN_GROUP):
        try:
            kind = point.load()
            if not is_plugin(kind):
                continue
        except Exception as error:
            log.exception("Failed to import plugin %s", point.name)
            loaded.errors[point.module] = _text(error)
            continue
        _add(kind, f"{point.dist.metadata['Name']}=={point.dist.version}: {point}" if point.dist else str(point), loaded)


def _add(kind: Any, source: str, loaded: Loaded) -> None:
    """Make the instance and run ``on_load``; the first plugin of a name stays."""
    try:
        plugin = kind()
        plugin.source = source
        if any(plugin.name == other.name for other in loaded.plugins):
            log.warning("Plugin %r already registered, skipping", plugin.name)
            loaded.errors[source] = f"Plugin {plugin.name!r} already registered, skipping"
            return
        plugin.on_load()
    except Exception as error:
        log.exception("Failed to load plugin %s", getattr(kind, "name", kind))
        loaded.errors[source] = _text(error)
        return
    loaded.plugins.append(plugin)


def _import(path: str, prefix: str = "") -> Any:
    """Import a plugin file under its plain name, as Airflow does: DAG files import from it by that name."""
    name = prefix + os.path.splitext(os.path.basename(path))[0]
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__file__", None) == path:
        return known
    loader = importlib.machinery.SourceFileLoader(name, path)
    spec = importlib.util.spec_from_loader(name, loader)
    if spec is None:
        raise ImportError(f"{path} cannot be imported as a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        if sys.modules.get(name) is module:
            del sys.modules[name]
        raise
    return module


def _text(error: BaseException) -> str:
    return str(error) or type(error).__name__
