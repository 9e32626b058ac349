"""Decides when a host is out of date because a plugin or a cluster policy changed."""

from __future__ import annotations

import os
import time

from orchestrator.sdk.execution.supervisor.settings import SupervisorSettings
from orchestrator.sdk.plugins import places

LOOK_SECONDS = 2.0


class PluginsWatch:
    """Looks at the files of plugins at most every two seconds."""

    def __init__(self, settings: SupervisorSettings) -> None:
        self._settings = settings
        home = os.environ.get("AIRFLOW_HOME")
        self._config_folder = os.path.join(home, "config") if home else ""
        self._looked_at = float("-inf")
        self._seen = ""

    def places(self) -> dict[str, str]:
        """Return what a host is told of where plugins are."""
        names = ("plugins_folder", "example_plugins_folder", "ignore_syntax")
        return {name: getattr(self._settings, name) for name in names}

    def fingerprint(self) -> str:
        """Return a text that changes with the plugins; empty where there are none."""
        now = time.monotonic()
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self._seen = places.fingerprint(self._settings.plugins_folder, self._config_folder, self._settings.ignore_syntax)
        return self._seen
