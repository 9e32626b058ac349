"""Decides how rendered template fields are shown to people: as JSON where they are, as text otherwise, cut when long."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.sdk.definitions.asset import BaseAsset
from orchestrator.sdk.execution.masking import redact
from orchestrator.sdk.name_tables.old_functions import qualname

MAX_DEPTH = 20
_CUT = "Truncated. You can change this behaviour in [core]max_templated_field_length. "
_LEAST_CONTENT = 7


def shown_fields(task: Any) -> dict[str, Any]:
    """Return every template field of the task as JSON, each at most ``[core] max_templated_field_length`` characters.

    Parts that have a renderer of their own (``template_fields_renderers = {"conf.query": "sql"}``) are shown besides.
    """
    from orchestrator.sdk.configuration import conf

    limit = conf.getint("core", "max_templated_field_length", fallback=4096)
    values = {name: getattr(task, name, None) for name in task.template_fields}
    return {name: _shown(value, name, limit) for name, value in {**values, **dict(_parts(task))}.items()}


def _parts(task: Any) -> Iterator[tuple[str, Any]]:
    for path in getattr(task, "template_fields_renderers", None) or ():
        field, *names = path.split(".")
        if not names or field not in task.template_fields:
            continue
        value = getattr(task, field, None)
        for name in names:
            value = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
        if value is not None:
            yield path, value


def _shown(value: Any, name: str, limit: int) -> Any:
    plain = _plain(value, 0)
    if len(str(plain)) <= limit:
        return _finite(plain)
    room = limit - len(_CUT) - len("...")
    # Masked by the names of its parts before it becomes one text, which has none.
    return "" if limit <= 0 else f"{_CUT}{str(redact(plain, name))[:room].rstrip() if room >= _LEAST_CONTENT else ''}..."


def _plain(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return str.__str__(value)  # a member of an enum that is a text is that text
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth < MAX_DEPTH:
        if isinstance(value, dict):
            pairs = [(str(_plain(key, depth + 1)), _plain(item, depth + 1)) for key, item in value.items()]
            return dict(sorted(pairs, key=lambda pair: pair[0]))
        if isinstance(value, list | tuple):
            return [_plain(item, depth + 1) for item in value]
        if isinstance(value, set | frozenset):
            return sorted((_plain(item, depth + 1) for item in value), key=lambda item: (type(item).__name__, str(item)))
        if _says_its_form(value):
            return _plain(value.serialize(), depth + 1)
    return _named(value)


def _says_its_form(value: Any) -> bool:
    """Return whether the author gave a ``serialize()``; that of assets is this platform's, not a form that people know."""
    return not isinstance(value, BaseAsset) and callable(inspect.getattr_static(value, "serialize", None))


def _named(value: Any) -> str:
    """Return a text without an address in memory, so that each attempt shows the same one."""
    if callable(value):
        return f"<callable {qualname(value, use_qualname=True)}>"
    own = type(value)
    if any(getattr(own, method) is not getattr(object, method) for method in ("__str__", "__repr__")):
        return str(value)
    return f"<{qualname(own, use_qualname=True)} object>"


def _finite(plain: Any) -> Any:
    """Return the value with null for numbers that JSON does not have, as Airflow shows them."""
    if isinstance(plain, float) and not math.isfinite(plain):
        return None
    if isinstance(plain, Mapping):
        return {key: _finite(item) for key, item in plain.items()}
    return [_finite(item) for item in plain] if isinstance(plain, list) else plain
