"""Decides how a value that is no plain JSON is written into JSON and read back: Airflow's wire format of XComs.

A typed value is ``{"__classname__": import path, "__version__": n, "__data__": JSON}``. Tuples and sets are typed too;
keys of dicts become text. What can be read back is the fixed list in ``plain_types``, and classes that the option
``[core] allowed_deserialization_classes`` allows: reading a value never imports anything else.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import re
import sys
from collections.abc import Callable
from enum import Enum
from importlib import import_module
from typing import Any

from orchestrator.sdk.serialization import plain_types

CLASSNAME, VERSION, DATA = "__classname__", "__version__", "__data__"
MAX_DEPTH = 200

Json = Any


def encode(value: Any, depth: int = 0) -> Json:
    """Return the value as JSON types.

    Raises ``TypeError`` naming the class that cannot be written, ``AttributeError`` for a dict with a reserved key,
    ``RecursionError`` for a value that contains itself.
    """
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if depth > MAX_DEPTH:
        raise RecursionError(
            f"The value is nested more than {MAX_DEPTH} levels deep, or contains itself, and cannot be serialized."
        )
    if isinstance(value, list):
        return [encode(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return _encode_dict(value, depth)
    return _encode_typed(value, depth + 1)


def decode(document: Json, *, trusted: bool = False) -> Any:
    """Return the value that ``encode`` wrote; plain JSON comes back as it is.

    Raises ``ImportError`` for a class that may not be read, naming the option that allows it, and ``TypeError`` for a
    format newer than this program. ``trusted`` skips the list of allowed classes.
    """
    if isinstance(document, list):
        return [decode(item, trusted=trusted) for item in document]
    if not isinstance(document, dict):
        return document
    if CLASSNAME in document and VERSION in document:
        return _decode_typed(document, trusted)
    if "__type" in document and "__var" in document:
        return plain_types.decode_legacy(document, lambda item: decode(item, trusted=trusted))
    return {key: decode(item, trusted=trusted) for key, item in document.items()}


def _encode_dict(value: dict[Any, Any], depth: int) -> Json:
    if CLASSNAME in value or "__id__" in value:
        raise AttributeError(
            f"The dict has the key {CLASSNAME!r} or '__id__', which are reserved for typed values; rename the key."
        )
    return {str(key): encode(item, depth + 1) for key, item in value.items()}


def _encode_typed(value: Any, depth: int) -> Json:
    def inner(item: Any) -> Json:
        return encode(item, depth)

    for encoder in (plain_types.encode, _encode_own, _encode_fields):
        typed = encoder(value, inner)
        if typed is not None:
            name, version, payload = typed
            return {CLASSNAME: name, VERSION: version, DATA: payload}
    for kind in (bool, str, int, float):
        if isinstance(value, kind):
            return value.value if isinstance(value, Enum) else kind(value)
    raise TypeError(
        f"Cannot serialize object of type {type(value)}. Give the class a `serialize()` method and a static "
        "`deserialize(data, version)`, make it a dataclass, or return plain JSON values."
    )


def _encode_own(value: Any, inner: Callable[[Any], Json]) -> plain_types.Typed | None:
    if isinstance(value, type) or not callable(getattr(value, "serialize", None)):
        return None
    return _name(value), getattr(type(value), "__version__", 0), inner(value.serialize())


def _encode_fields(value: Any, inner: Callable[[Any], Json]) -> plain_types.Typed | None:
    """Write a dataclass, an attrs class or a pydantic model by its fields."""
    if isinstance(value, type):
        return None
    version = getattr(type(value), "__version__", 0)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        # A dataclass or model inside of one loses its type, as in Airflow.
        return _name(value), version, {name: inner(item) for name, item in dataclasses.asdict(value).items()}
    if attributes := getattr(type(value), "__attrs_attrs__", None):
        return _name(value), version, {a.name: inner(getattr(value, a.name)) for a in attributes}
    if hasattr(type(value), "model_fields") and callable(getattr(value, "model_dump", None)):
        return _name(value), 1, inner(value.model_dump(mode="json"))
    return None


def _decode_typed(document: dict[str, Json], trusted: bool) -> Any:
    name, version, payload = document[CLASSNAME], document[VERSION], document.get(DATA)

    def inner(item: Json) -> Any:
        return decode(item, trusted=trusted)

    decoder = plain_types.decoder_of(name)
    if decoder is None:
        return _decode_class(_import_allowed(name, trusted), version, payload, inner)
    newest = plain_types.VERSIONS.get(name, 1)
    if version > newest:
        raise TypeError(
            f"A value of {name} has format {version}, this program reads up to {newest}: it was written by a newer one."
        )
    return decoder(name, version, payload, inner)


def _decode_class(kind: Any, version: int, payload: Json, inner: Callable[[Json], Any]) -> Any:
    newest = getattr(kind, "__version__", 1 if hasattr(kind, "model_validate") else 0)
    if isinstance(newest, int) and version > newest:
        raise TypeError(f"A value of {kind.__qualname__} has format {version}, the class reads up to {newest}.")
    if hasattr(kind, "deserialize"):
        return kind.deserialize(inner(payload), version)
    if hasattr(kind, "model_validate"):
        return kind.model_validate(inner(payload))
    return kind(**inner(payload))


def _import_allowed(name: str, trusted: bool) -> Any:
    if not trusted and not is_allowed(name):
        raise ImportError(
            f"{name} was not found in allow list for deserialization imports. To allow it, add it to "
            "[core] allowed_deserialization_classes (a list of patterns) or allowed_deserialization_classes_regexp."
        )
    module, _, attribute = name.rpartition(".")
    if module not in sys.modules:
        import_module(module)
    return getattr(sys.modules[module], attribute)


def is_allowed(name: str) -> bool:
    """Tell whether the configuration allows values of the class to be read back."""
    from orchestrator.sdk.configuration import conf

    patterns = re.split(r"[\s,]+", str(conf.get("core", "allowed_deserialization_classes", fallback="airflow.*") or ""))
    if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns if pattern):
        return True
    expressions = re.split(r"[\s,]+", str(conf.get("core", "allowed_deserialization_classes_regexp", fallback="") or ""))
    return any(re.match(expression, name) for expression in expressions if expression)


def _name(value: Any) -> str:
    kind, names = type(value), plain_types.PUBLIC_NAMES
    module = names.get(f"{kind.__module__}:{kind.__qualname__}") or names.get(kind.__module__, kind.__module__)
    return f"{module}.{kind.__qualname__}"
