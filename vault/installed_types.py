"""Decides what installed packages say of their connection types; one that computes them is known by what is recorded."""

import logging
from collections.abc import Mapping
from typing import Any

from orchestrator.provider_documents import provider_documents

log = logging.getLogger(__name__)

_KEY = "connection-types"


def installed_types() -> Mapping[str, Any]:
    """Return ``{package: {"connection-types": [...]}}`` of the installed packages that can be read."""
    found: dict[str, Any] = {}
    for package, document in provider_documents((_KEY,)).items():
        types = document.get(_KEY) or ()
        sound = [item for item in types if _is_sound(item)] if isinstance(types, list) else []
        if len(sound) < len(types):
            log.warning("Some connection types of %s are left out: they are not written as Airflow describes them.", package)
        if sound:
            found[package] = {_KEY: sound}
    return found


def _is_sound(item: Any) -> bool:
    """Whether a type has the form of Airflow's schema, as far as it is used."""
    if not isinstance(item, dict) or not isinstance(item.get("connection-type"), str):
        return False
    look, fields = item.get("ui-field-behaviour") or {}, item.get("conn-fields") or {}
    if not isinstance(look, dict) or not isinstance(fields, dict):
        return False
    parts = [look.get("relabeling") or {}, look.get("placeholders") or {}, *fields.values()]
    parts += [facts.get("schema") or {} for facts in fields.values() if isinstance(facts, dict)]
    return isinstance(look.get("hidden-fields") or [], list) and all(isinstance(part, dict) for part in parts)
