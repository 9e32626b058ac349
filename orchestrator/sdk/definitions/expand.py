"""Decides what a task or group may be mapped over, and which arguments one index gets in a running task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.sdk.definitions.dependency import ResolveMixin
from orchestrator.sdk.definitions.xcom_arg import PlainXComArg, XComArg


class MappedArgument(ResolveMixin):
    """The stand-in for an argument of a mapped task group inside the group's function."""

    def __init__(self, *, input: Any, key: str) -> None:
        self._input, self._key = input, key

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        """Return what the group's input needs."""
        yield from self._input.iter_references()

    def resolve(self, context: Any) -> Any:
        """Return this index's value of the argument."""
        values, _ = self._input.resolve(context)
        return values[self._key]


class DictOfListsExpandInput(ResolveMixin):
    """``expand(a=[...], b=[...])``: every combination, the last argument moving fastest."""

    EXPAND_INPUT_TYPE = "dict-of-lists"

    def __init__(self, value: dict[str, Any]) -> None:
        self.value = value

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        """Return the tasks and keys that the arguments need."""
        for item in self.value.values():
            if isinstance(item, ResolveMixin):
                yield from item.iter_references()

    def parse_time_length(self) -> int | None:
        """Return the number of indexes, or None if it is known only at run time."""
        total = 1
        for item in self.value.values():
            if isinstance(item, ResolveMixin):
                return None
            total *= len(item)
        return total

    def resolve(self, context: Mapping[str, Any]) -> tuple[Mapping[str, Any], set[int]]:
        """Return this index's arguments, and the ids of those that need no rendering any more."""
        values = {name: item.resolve(context) if isinstance(item, ResolveMixin) else item for name, item in self.value.items()}
        lengths = {name: len(value) for name, value in values.items()}
        index = _map_index(context)
        picked = {name: _pick(values[name], at) for name, at in _positions(index, lengths).items()}
        resolved = {id(picked[name]) for name, item in self.value.items() if isinstance(item, ResolveMixin)}
        return picked, resolved


class ListOfDictsExpandInput(ResolveMixin):
    """``expand_kwargs([{...}, {...}])``: one index per dict."""

    EXPAND_INPUT_TYPE = "list-of-dicts"

    def __init__(self, value: Any) -> None:
        self.value = value

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        """Return the tasks and keys that the list, or values in it, need."""
        yield from XComArg.iter_xcom_references(self.value)

    def parse_time_length(self) -> int | None:
        """Return the number of indexes, or None if it is known only at run time."""
        return len(self.value) if isinstance(self.value, Sequence) else None

    def resolve(self, context: Mapping[str, Any]) -> tuple[Mapping[str, Any], set[int]]:
        """Return this index's arguments; raises ``ValueError`` if the item is no dict with text keys."""
        index = _map_index(context)
        items = self.value.resolve(context) if isinstance(self.value, ResolveMixin) else self.value
        item = items[index]
        if isinstance(item, ResolveMixin):
            item = item.resolve(context)
        if not isinstance(item, Mapping):
            raise ValueError(f"expand_kwargs() expects dicts; index {index} is {type(item).__name__} {item!r:.100}")
        wrong = [key for key in item if not isinstance(key, str)]
        if wrong:
            raise ValueError(f"expand_kwargs() expects str keys; index {index} has {wrong!r:.100}")
        picked = {key: value.resolve(context) if isinstance(value, ResolveMixin) else value for key, value in item.items()}
        # As in Airflow a dict that a task returned may hold templates; what was an output by itself is taken as it is.
        return picked, {id(picked[key]) for key, value in item.items() if isinstance(value, ResolveMixin)}


def is_mappable(value: Any) -> bool:
    """Return whether ``expand()`` takes the value: a list-like, a dict, or a reference to an output."""
    if isinstance(value, MappedArgument | XComArg):
        return True
    return isinstance(value, Mapping | Sequence) and not isinstance(value, str | bytes)


def check_expand_kwargs(kwargs: Mapping[str, Any], who: str) -> None:
    """Raise ``ValueError`` that names the first argument of ``expand()`` that cannot be mapped over."""
    for name, value in kwargs.items():
        if not is_mappable(value):
            raise ValueError(f"{who}: expand() got an unexpected type {type(value).__name__} for keyword argument {name}")
        refuse_keyed(value, who)


def refuse_keyed(value: Any, who: str) -> None:
    """Raise ``ValueError`` for an XCom with a key of its own, at any depth of lists and dicts; Airflow maps over none."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            refuse_keyed(item, who)
    elif getattr(value, "key", "return_value") != "return_value" and isinstance(value, PlainXComArg):
        raise ValueError(f"{who}: cannot map over XCom with custom key {value.key!r} from {value.operator}")


def _map_index(context: Mapping[str, Any]) -> int:
    index = getattr(context["ti"], "map_index", -1)
    if index is None or index < 0:
        raise RuntimeError("can't resolve task-mapping argument without expanding")
    return int(index)


def _positions(index: int, lengths: Mapping[str, int]) -> dict[str, int]:
    """Return the position in each argument's list for one index; the last argument moves fastest."""
    positions: dict[str, int] = {}
    for name in reversed(list(lengths)):
        if not lengths[name]:
            raise RuntimeError(f"cannot expand argument {name!r}: it is empty")
        index, positions[name] = divmod(index, lengths[name])
    return {name: positions[name] for name in lengths}


def _pick(values: Any, position: int) -> Any:
    return list(values.items())[position] if isinstance(values, Mapping) else values[position]
