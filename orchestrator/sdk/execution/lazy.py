"""Decides how a value of the context that costs a request is asked for only when a template or task looks at it."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

_UNKNOWN = object()


class Proxy:
    """Stands for ``factory()``, which is called at the first look and once."""

    __slots__ = ("_factory", "_value")

    def __init__(self, factory: Callable[[], Any]) -> None:
        object.__setattr__(self, "_factory", factory)
        object.__setattr__(self, "_value", _UNKNOWN)

    @property
    def __wrapped__(self) -> Any:
        value = object.__getattribute__(self, "_value")
        if value is _UNKNOWN:
            value = object.__getattribute__(self, "_factory")()
            object.__setattr__(self, "_value", value)
        return value

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self.__wrapped__)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.__wrapped__, name, value)

    def __reduce__(self) -> Any:
        return _same, (self.__wrapped__,)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__wrapped__(*args, **kwargs)


def _same(value: Any) -> Any:
    return value


def _unary(function: Callable[[Any], Any]) -> Callable[[Proxy], Any]:
    return lambda self: function(self.__wrapped__)


def _binary(function: Callable[[Any, Any], Any]) -> Callable[[Proxy, Any], Any]:
    return lambda self, other: function(self.__wrapped__, other)


def _swapped(function: Callable[[Any, Any], Any]) -> Callable[[Proxy, Any], Any]:
    return lambda self, other: function(other, self.__wrapped__)


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "str": str,
    "repr": repr,
    "bool": bool,
    "hash": hash,
    "len": len,
    "iter": iter,
    "int": int,
    "float": float,
}
for _name, _function in _CONVERSIONS.items():
    setattr(Proxy, f"__{_name}__", _unary(_function))
for _name in ("eq", "ne", "lt", "le", "gt", "ge", "getitem", "contains"):
    setattr(Proxy, f"__{_name}__", _binary(getattr(operator, _name)))
for _name in ("add", "sub", "mul", "truediv"):
    setattr(Proxy, f"__{_name}__", _binary(getattr(operator, _name)))
    setattr(Proxy, f"__r{_name}__", _swapped(getattr(operator, _name)))
setattr(Proxy, "__format__", _binary(format))  # noqa: B010
