"""Decides when a template field names a file and what text stands for it."""

from __future__ import annotations

import logging
from typing import Any

log = logging.getLogger("airflow.task")


def resolve_template_files(owner: Any) -> None:
    """Replace string fields, and strings in list fields, that end with one of ``template_ext`` by the file's text.

    A file that cannot be read is logged and left: rendering names it again as an error.
    """
    endings = tuple(owner.template_ext or ())
    if endings:
        environment = owner.get_template_env()
        for name in owner.template_fields:
            value = getattr(owner, name, None)
            if _names_file(value, endings):
                setattr(owner, name, _source(environment, value, name))
            elif isinstance(value, list):
                setattr(owner, name, [_source(environment, v, name) if _names_file(v, endings) else v for v in value])
    owner.prepare_template()


def _names_file(value: Any, endings: tuple[str, ...]) -> bool:
    return isinstance(value, str) and value.endswith(endings)


def _source(environment: Any, value: Any, name: str) -> str:
    try:
        return str(environment.loader.get_source(environment, value)[0])
    except Exception:
        log.exception("Failed to resolve template field %r", name)
        return str(value)
