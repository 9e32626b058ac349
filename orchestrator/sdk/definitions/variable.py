"""Decides where a variable comes from: the environment, else the supervisor; with neither, a clear error."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from typing import Any

from orchestrator.sdk.definitions.sentinels import NOTSET
from orchestrator.sdk.exceptions import AirflowRuntimeError

log = logging.getLogger(__name__)
ENVIRONMENT_PREFIX = "AIRFLOW_VAR_"


class Variable:
    """A named text that all DAGs share; JSON if the author asks for it.

    Args:
        key: name of the variable.
        value: its text, or what its JSON says.
        description: what it is for.
    """

    __slots__ = ("description", "key", "value")

    def __init__(self, key: str, value: Any = None, description: str | None = None) -> None:
        self.key, self.value, self.description = key, value, description

    @classmethod
    def get(cls, key: str, default: Any = NOTSET, deserialize_json: bool = False, default_var: Any = NOTSET) -> Any:
        """Return the variable's text, or what its JSON says.

        A text that is no JSON though ``deserialize_json`` asks for it counts as none, which is logged. Raises
        ``AirflowRuntimeError`` (``VARIABLE_NOT_FOUND``) if there is none and no default is given.
        """
        fallback = default if default is not NOTSET else default_var
        try:
            text = _find(key)
            return _read_json(key, text) if deserialize_json and text is not None else text
        except AirflowRuntimeError as error:
            if fallback is not NOTSET and _is_missing(error):
                return fallback
            raise

    @classmethod
    def set(cls, key: str, value: Any, description: str | None = None, serialize_json: bool = False) -> None:
        """Store the variable; ``serialize_json`` writes ``value`` as JSON. Works in a running task only."""
        from orchestrator.sdk.execution.channel import ask

        text = json.dumps(value, indent=2) if serialize_json else str(value)
        ask({"type": "PutVariable", "key": key, "value": text, "description": description})

    @classmethod
    def update(cls, key: str, value: Any, serialize_json: bool = False) -> None:
        """Store another value; raises ``KeyError`` where there is none to replace. Works in a running task only."""
        if cls.get(key, default=None) is None:
            raise KeyError(f"Variable {key!r} does not exist, so it cannot be updated")
        cls.set(key, value, serialize_json=serialize_json)

    @classmethod
    def delete(cls, key: str) -> None:
        """Remove the variable. Works in a running task only."""
        from orchestrator.sdk.execution.channel import ask

        ask({"type": "DeleteVariable", "key": key})

    @classmethod
    def keys(cls, prefix: str | None = None) -> Sequence[str]:
        """Return the keys that begin with ``prefix``, all without one. Works in a running task only."""
        from orchestrator.sdk.execution.channel import ask

        found: list[str] = []
        while True:
            answer = ask({"type": "GetVariableKeys", "prefix": prefix, "limit": 1000, "offset": len(found)})
            found += answer["keys"]
            if not answer["keys"] or len(found) >= answer.get("total_entries", 0):
                return found

    @classmethod
    def setdefault(cls, key: str, default: Any, description: str | None = None, deserialize_json: bool = False) -> Any:
        """Return the variable; where there is none, store and return ``default``."""
        found = cls.get(key, default=None, deserialize_json=deserialize_json)
        if found is not None:
            return found
        cls.set(key, default, description=description, serialize_json=deserialize_json)
        return default

    def __repr__(self) -> str:
        return f"Variable(key={self.key!r}, value={self.value!r}, description={self.description!r})"


def _find(key: str) -> str | None:
    from orchestrator.sdk.execution.channel import ErrorResponse, ask, current_channel, mask_secret
    from orchestrator.sdk.secrets.search import custom_variable

    text = custom_variable(key, worker=True)
    text = os.environ.get(ENVIRONMENT_PREFIX + key.upper()) if text is None else text
    if text is not None:
        mask_secret(text, key)
        return text

    if current_channel() is None:
        raise AirflowRuntimeError(
            ErrorResponse(
                "VARIABLE_NOT_FOUND",
                {
                    "message": f"Variable {key} not found: outside of a running task only the environment "
                    f"({ENVIRONMENT_PREFIX}{key.upper()}) is read. Read it inside of the task, in a template, or give a default."
                },
            )
        )
    value: str | None = ask({"type": "GetVariable", "key": key}).get("value")
    if value is not None:
        mask_secret(value, key)
    return value


def _read_json(key: str, text: str) -> Any:
    from orchestrator.sdk.execution.channel import ErrorResponse

    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        message = f"Variable {key} is there, but its text is no JSON: {error}"
        log.error(message)
        raise AirflowRuntimeError(ErrorResponse("VARIABLE_NOT_FOUND", {"message": message})) from None


def _is_missing(error: AirflowRuntimeError) -> bool:
    return getattr(getattr(error.error, "error", None), "value", None) == "VARIABLE_NOT_FOUND"
