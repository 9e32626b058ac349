"""Decides which applications this process's API server answers: ``core`` (people) and ``execution`` (workers)."""

import os
import sys

APPS_VARIABLE = "ORCHESTRATOR_API_APPS"
ALL_APPS = ("core", "execution")


def chosen_apps() -> tuple[str, ...]:
    """The applications named by the command that started this process; all where it named none."""
    return tuple(name for name in os.environ.get(APPS_VARIABLE, "").split(",") if name) or ALL_APPS


def choose_apps(apps: tuple[str, ...]) -> None:
    """Answer only the paths of ``apps`` in this process and in what it starts."""
    os.environ[APPS_VARIABLE] = ",".join(apps)
    # Before the first import the variable is enough, and the views of the others are never loaded.
    if "orchestrator.urls" in sys.modules:
        sys.modules["orchestrator.urls"].select_apps(apps)
