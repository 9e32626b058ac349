"""Decides small functions that older DAG files and plugins import from ``airflow.utils``."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import itertools
import logging
import random
import re
import string
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from tempfile import TemporaryDirectory
from typing import Any

from orchestrator.sdk.definitions.node import validate_key

__all__ = [
    "LoggingMixin",
    "TemporaryDirectory",
    "as_flattened_list",
    "at_most_one",
    "build_airflow_dagrun_url",
    "chunks",
    "convert_camel_to_snake",
    "exactly_one",
    "import_string",
    "is_container",
    "merge_dicts",
    "partition",
    "prune_dict",
    "validate_key",
]


class LoggingMixin:
    """Gives ``self.log``."""

    @property
    def log(self) -> logging.Logger:
        """Return the logger of the class."""
        return logging.getLogger(f"{type(self).__module__}.{type(self).__qualname__}")


def import_string(dotted_path: str) -> Any:
    """Return what an import path names; raises ``ImportError``."""
    module, _, name = dotted_path.rpartition(".")
    if not module:
        raise ImportError(f"{dotted_path} doesn't look like a module path")
    try:
        return getattr(importlib.import_module(module), name)
    except AttributeError:
        raise ImportError(f'Module "{module}" does not define a "{name}" attribute/class') from None


def chunks(items: list[Any], chunk_size: int) -> Iterator[list[Any]]:
    """Return slices of at most ``chunk_size`` items."""
    if not isinstance(chunk_size, int) or chunk_size <= 0:
        raise ValueError("Chunk size must be a positive integer")
    for start in itertools.count(0, chunk_size):
        if start >= len(items):
            return
        yield items[start : start + chunk_size]


def exactly_one(*args: Any) -> bool:
    """Return whether exactly one argument is true."""
    return sum(map(bool, args)) == 1


def is_container(obj: Any) -> bool:
    """Return whether the thing can be iterated over and is no text."""
    return hasattr(obj, "__iter__") and not isinstance(obj, str)


def merge_dicts(first: dict[Any, Any], second: dict[Any, Any]) -> dict[Any, Any]:
    """Return both, inner dicts merged too; the second wins."""
    merged = dict(first)
    for key, value in second.items():
        both = isinstance(merged.get(key), dict) and isinstance(value, dict)
        merged[key] = merge_dicts(merged[key], value) if both else value
    return merged


def prune_dict(value: Any, mode: str = "strict") -> Any:
    """Return the value without None (``strict``) or without everything empty (``truthy``), inside too."""
    if mode not in ("strict", "truthy"):
        raise ValueError("mode must be one of {'strict', 'truthy'}")

    def dropped(item: Any) -> bool:
        return item is None if mode == "strict" else not bool(item)

    if isinstance(value, dict):
        return {key: kept for key, item in value.items() if not dropped(kept := prune_dict(item, mode))}
    if isinstance(value, list):
        return [kept for item in value if not dropped(kept := prune_dict(item, mode))]
    return value


def at_most_one(*args: Any) -> bool:
    """Return whether no more than one argument is set and true."""
    from orchestrator.sdk.definitions.sentinels import is_arg_set

    return sum(is_arg_set(item) and bool(item) for item in args) <= 1


def as_flattened_list(iterable: Iterable[Iterable[Any]]) -> list[Any]:
    """Return the things in the things, one level deep."""
    return list(itertools.chain.from_iterable(iterable))


def partition(pred: Callable[[Any], bool], iterable: Iterable[Any]) -> tuple[Iterable[Any], Iterable[Any]]:
    """Return the things for which ``pred`` is false, and those for which it is true."""
    first, second = itertools.tee(iterable)
    return itertools.filterfalse(pred, first), filter(pred, second)


def convert_camel_to_snake(camel_str: str) -> str:
    """Return ``CamelCase`` as ``camel_case``."""
    return re.sub(r"(?<!^)([A-Z]+)", r"_\1", camel_str).lower()


def build_airflow_dagrun_url(dag_id: str, run_id: str) -> str:
    """Return the address of a run's page."""
    from orchestrator.sdk.configuration import conf

    return f"{str(conf.get('api', 'base_url', fallback='/')).rstrip('/')}/dags/{dag_id}/runs/{run_id}"


def get_random_string(length: int = 8, choices: str = string.ascii_letters + string.digits) -> str:
    """Return a text of random letters and digits; no secret."""
    return "".join(random.choices(choices, k=length))  # noqa: S311


def to_boolean(astring: str | None) -> bool:
    """Return whether a text says yes."""
    return astring is not None and astring.strip().lower() in ("on", "t", "true", "y", "yes", "1")


def is_valid_dotpath(path: Any) -> bool:
    """Return whether a text looks like an import path."""
    return isinstance(path, str) and re.fullmatch(r"[a-zA-Z_]\w*(\.[a-zA-Z_]\w*)+", path) is not None


def qualname(o: Any, use_qualname: bool = False, exclude_module: bool = False) -> str:
    """Return the import path of a class, a function or a thing's class."""
    owner = o if hasattr(o, "__name__") else type(o)
    name = str(owner.__qualname__ if use_qualname and hasattr(owner, "__qualname__") else owner.__name__)
    return name if exclude_module or not getattr(owner, "__module__", None) else f"{owner.__module__}.{name}"


def md5(data: bytes = b"", **_: Any) -> Any:
    """Return an MD5 hash that is no protection."""
    return hashlib.md5(data, usedforsecurity=False)


def get_python_source(x: Any) -> str | None:
    """Return the source of a function or class, None where there is none."""
    if isinstance(x, str | None):
        return x
    try:
        return inspect.getsource(getattr(x, "func", x))
    except (OSError, TypeError):
        return None


def check_cycle(dag: Any) -> None:
    """Raise ``AirflowDagCycleException`` for a DAG whose tasks depend on each other in a circle."""
    dag.check_cycle()


def context_copy_partial(source: Mapping[str, Any], keys: Collection[str]) -> dict[str, Any]:
    """Return the context with only these names."""
    return {name: value for name, value in source.items() if name in keys}
