"""Decides which links of plugins an operator has beside its own."""

from __future__ import annotations

from typing import Any

from orchestrator.sdk.plugins.loading import is_loaded, plugins


def links_of(task: Any) -> list[Any]:
    """Return the links of a task: its own, where a plugin's link of the same name replaces it, and the global ones.

    A link of a plugin belongs to the classes in its ``operators``. Nothing is loaded here: a process that has not loaded
    plugins knows only the operator's own links.
    """
    found = {link.name: link for link in task.operator_extra_links}
    if not is_loaded():
        return list(found.values())
    kind = getattr(task, "operator_class", type(task))
    for link in plugins().all("operator_extra_links"):
        if kind in (link.operators or ()):
            found[link.name] = link
    for link in plugins().all("global_operator_extra_links"):
        found.setdefault(link.name, link)
    return list(found.values())
