"""Decides when the addresses of an operator's links are stored: once per attempt that ends, as XComs that the server shows."""

from __future__ import annotations

import logging
from typing import Any

from orchestrator.sdk.definitions.shown_words import TaskInstanceState
from orchestrator.sdk.execution import xcom
from orchestrator.sdk.plugins.links import links_of

log = logging.getLogger("task")

_ENDS = frozenset(
    {TaskInstanceState.SUCCESS, TaskInstanceState.FAILED, TaskInstanceState.SKIPPED, TaskInstanceState.UP_FOR_RETRY}
)


def push_links(ti: Any) -> None:
    """Ask each link for its address and store it under the link's key; a link that fails is logged and left out."""
    if ti.state not in _ENDS:
        return
    for link in links_of(ti.task):
        try:
            xcom.set_xcom(ti, link.xcom_key, link.get_link(operator=ti.task, ti_key=ti))
        except ConnectionError:
            raise
        except Exception:
            log.exception("Failed to push an xcom for task operator extra link %s (%s)", link.name, link.xcom_key)
