"""Decides when plugins are loaded anew in a parse process to see what they bring, and what of it is stored."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import DatabaseError, transaction

from dags_app.plugins import hooks_heard, plugins_store
from dags_app.processor.files import plugins_seen
from orchestrator.config import PROJECT_ROOT, conf
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.parsing.protocol import ParseRequest, ParseResponse
from orchestrator.sdk.plugins.places import LOCAL_SETTINGS, PLUGIN_GROUP, fingerprint, has_entry_points

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 60.0
Submit = Callable[[ParseRequest], int]


def example_plugins_folder() -> str:
    """Return the folder of our example plugins where ``[core] load_examples`` is on; empty otherwise."""
    folder = PROJECT_ROOT / "plugins"
    return str(folder) if conf.get("core", "load_examples") and folder.is_dir() else ""


class PluginReports:
    """Follows the files of plugins and of the cluster policies; without any it costs a look at two folders."""

    def __init__(self, plugins_folder: str, examples_folder: str, config_folder: str, syntax: str) -> None:
        self._folders, self._config_folder, self._syntax = [plugins_folder, examples_folder], config_folder, syntax
        self._seen: str | None = None
        self._has_packages: bool | None = None
        self._asked: int | None = None
        self._told: set[int] = set()
        self.log_folder = Path(conf.get("logging", "dag_processor_child_process_log_directory"))

    @property
    def is_busy(self) -> bool:
        """True while a parse process loads the plugins."""
        return self._asked is not None

    @property
    def is_telling(self) -> bool:
        """True while listeners run."""
        return bool(self._told)

    def look(self, submit: Submit) -> None:
        """Ask for a description where plugins changed; the first look always does, unless there is nothing."""
        if self._asked is not None:
            return
        seen = self._fingerprint()
        if seen == self._seen:
            return
        self._seen = seen
        plugins_seen(seen)
        if self._has_packages is None:
            self._has_packages = has_entry_points(PLUGIN_GROUP)
        if seen or self._has_packages:
            self._asked = submit(ParseRequest(0, "", LOCAL_SETTINGS, "", timeout_seconds=TIMEOUT_SECONDS, kind="plugins"))
        else:
            self._store({"plugins": [], "errors": []})

    def tell(self, submit: Submit, hook: str, **arguments: Any) -> None:
        """Have listeners called in a parse process, where any plugin implements the hook; once, whatever comes of it."""
        if hook in hooks_heard():
            events: list[dict[str, Any]] = [{"hook": hook, "arguments": arguments}]
            log_path = str(self.log_folder / utcnow().strftime("%Y-%m-%d") / "listeners.log")
            request = ParseRequest(0, "", "listeners", "", timeout_seconds=TIMEOUT_SECONDS, log_path=log_path, kind="events")
            request.events = events
            self._told.add(submit(request))

    def take(self, response: ParseResponse) -> bool:
        """Store a description; False for the answer to another request."""
        if response.id in self._told:
            self._told.discard(response.id)
            if response.import_error:
                log.warning("Listeners could not be told of a parse: %s", response.import_error)
            return True
        if response.id != self._asked:
            return False
        self._asked = None
        if response.plugins is None:
            error = response.import_error or "the process that loads plugins ended"
            self._store({"plugins": [], "errors": [{"source": self._folders[0], "error": error}]})
        else:
            self._store(response.plugins)
        return True

    def _fingerprint(self) -> str:
        found = [fingerprint(folder, self._config_folder, self._syntax) for folder in dict.fromkeys(self._folders) if folder]
        return "-".join(text for text in found if text)

    def _store(self, description: dict[str, list[dict[str, object]]]) -> None:
        try:
            with transaction.atomic():
                plugins_store(description, utcnow())
        except DatabaseError as error:
            log.warning("The plugins could not be stored and are looked at again: %s", error)
            self._seen = None
