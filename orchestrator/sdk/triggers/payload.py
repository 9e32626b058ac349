"""Decides in which form an event's payload reaches the task, and its XComs the tasks after it: both as in Airflow."""

from __future__ import annotations

import json
from typing import Any

from orchestrator.sdk.serialization.values import encode


def with_lists(value: Any) -> Any:
    """Return the value with every tuple and set in it, at any depth of lists and dicts, as a list; the rest is as it was.

    A set becomes a list in the order in which it iterates. Raises ``RecursionError`` for a value that contains itself.
    """
    if isinstance(value, list | tuple | set | frozenset):
        return [with_lists(item) for item in value]
    if isinstance(value, dict):
        return {key: with_lists(item) for key, item in value.items()}
    return value


def kept_xcoms(xcoms: dict[str, Any] | None) -> dict[str, str] | None:
    """Return the XComs of an event that ends its task, each as the text of its JSON; None for none.

    Airflow 3.3.2 keeps them so, and the tasks after it read that text: what was written for it says ``json.loads()``.
    """
    return {key: json.dumps(encode(with_lists(value))) for key, value in xcoms.items()} if xcoms else None
