"""Decides what ``map``, ``zip`` and ``concat`` make of references to outputs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from orchestrator.sdk.definitions.sentinels import NOTSET, is_arg_set
from orchestrator.sdk.definitions.xcom_arg import XComArg
from orchestrator.sdk.definitions.xcom_results import ConcatResult, MapResult, ZipResult
from orchestrator.sdk.exceptions import XComForMappingNotPushed


class MapXComArg(XComArg):
    """Items of a reference, each put through functions."""

    def __init__(self, arg: XComArg, callables: list[Callable[[Any], Any]]) -> None:
        for f in callables:
            if hasattr(f, "override") and hasattr(f, "operator_class"):
                raise ValueError("map() argument must be a plain function, not a @task operator")
        self.arg, self.callables = arg, callables

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        """Return what the inner reference needs."""
        yield from self.arg.iter_references()

    def map(self, f: Callable[[Any], Any]) -> MapXComArg:
        """Return a reference with one more function."""
        return MapXComArg(self.arg, [*self.callables, f])

    def serialize(self) -> dict[str, Any]:
        """Return the inner reference and the functions' sources."""
        return {"type": "map", "arg": self.arg.serialize(), "callables": [_source(f) for f in self.callables]}

    def resolve(self, context: Mapping[str, Any]) -> Any:
        """Return a lazy list of the results."""
        return MapResult(_sized(self.arg.resolve(context)), self.callables)


class ZipXComArg(XComArg):
    """Items of several references side by side."""

    def __init__(self, args: list[XComArg], *, fillvalue: Any = NOTSET) -> None:
        if not args:
            raise ValueError("zip() takes at least one XComArg")
        self.args, self.fillvalue = list(args), fillvalue

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        """Return what the inner references need."""
        for arg in self.args:
            yield from arg.iter_references()

    def serialize(self) -> dict[str, Any]:
        """Return the inner references and the fill value, if there is one."""
        fill = {"fillvalue": self.fillvalue} if is_arg_set(self.fillvalue) else {}
        return {"type": "zip", "args": [arg.serialize() for arg in self.args], **fill}

    def resolve(self, context: Mapping[str, Any]) -> Any:
        """Return a lazy list of tuples."""
        return ZipResult([_sized(arg.resolve(context)) for arg in self.args], fillvalue=self.fillvalue)


class ConcatXComArg(XComArg):
    """Items of several references one after the other."""

    def __init__(self, args: list[XComArg]) -> None:
        if not args:
            raise ValueError("concat() takes at least one XComArg")
        self.args = list(args)

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        """Return what the inner references need."""
        for arg in self.args:
            yield from arg.iter_references()

    def concat(self, *others: XComArg) -> ConcatXComArg:
        """Return a reference with more at the end."""
        return ConcatXComArg([*self.args, *others])

    def serialize(self) -> dict[str, Any]:
        """Return the inner references."""
        return {"type": "concat", "args": [arg.serialize() for arg in self.args]}

    def resolve(self, context: Mapping[str, Any]) -> Any:
        """Return a lazy list of all items."""
        return ConcatResult([_sized(arg.resolve(context)) for arg in self.args])


def _sized(value: Any) -> Any:
    if value is None or not is_arg_set(value):
        raise XComForMappingNotPushed
    if not hasattr(value, "__len__"):
        raise ValueError(f"XCom map expects sequence or dict, not {type(value).__name__}")
    return value


def _source(function: Any) -> str:
    try:
        return inspect.getsource(function).strip()
    except (OSError, TypeError):
        return getattr(function, "__qualname__", None) or type(function).__qualname__
