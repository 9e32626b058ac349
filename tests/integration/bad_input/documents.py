"""Decides which documents say what the two APIs take: the ones that they serve."""

from __future__ import annotations

from typing import Any


def rest_document() -> dict[str, Any]:
    """The document of the REST API."""
    from orchestrator.rest.openapi.document import document
    from orchestrator.rest.urls import MODULES

    return document(module.operations for module in MODULES)


def execution_document() -> dict[str, Any]:
    """The newest document of the Execution API."""
    from executionapi.openapi.document import document

    return document()
