"""Decides how the input of a mapped task or group is written: literal values, or references to outputs."""

from __future__ import annotations

from typing import Any

from orchestrator.sdk.definitions.dependency import ResolveMixin
from orchestrator.sdk.definitions.expand import DictOfListsExpandInput, MappedArgument
from orchestrator.sdk.definitions.xcom_arg import XComArg
from orchestrator.sdk.serialization.plain_values import Json, plain
from orchestrator.sdk.serialization.spec import ExpandSpec


def encode_expand(expand_input: Any) -> ExpandSpec:
    """Return what the server needs to count the indexes."""
    length = expand_input.parse_time_length()
    if isinstance(expand_input, DictOfListsExpandInput):
        return ExpandSpec("dict", {name: _argument(value) for name, value in expand_input.value.items()}, length)
    return ExpandSpec("list", {"kwargs": _argument(expand_input.value)}, length)


def _argument(value: Any) -> Json:
    if isinstance(value, XComArg):
        return {"xcom": reference(value)}
    if isinstance(value, MappedArgument):
        return {"group_argument": value._key}
    if isinstance(value, dict):
        return {"literal": {str(key): _item(item) for key, item in value.items()}}
    return {"literal": [_item(item) for item in value]}


def _item(value: Any) -> Json:
    if isinstance(value, dict):
        return {str(key): _item(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_item(item) for item in value]
    return _argument(value) if isinstance(value, ResolveMixin) and isinstance(value, XComArg | MappedArgument) else plain(value)


def reference(arg: XComArg) -> Json:
    """Return a reference to outputs as nested JSON."""
    return plain(arg.serialize())
