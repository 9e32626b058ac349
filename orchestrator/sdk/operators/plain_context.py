"""Decides how values of the context look to another interpreter, which has none of this platform's classes."""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Collection, Mapping
from types import SimpleNamespace
from typing import Any

from orchestrator.sdk.exceptions import AirflowException

_STANDARD = ("builtins", "datetime", "decimal", "uuid", "zoneinfo", "pendulum", "collections")
_RUN_FIELDS = (
    "dag_id",
    "run_id",
    "run_type",
    "state",
    "conf",
    "logical_date",
    "data_interval_start",
    "data_interval_end",
    "run_after",
    "start_date",
    "end_date",
    "triggering_user_name",
    "partition_key",
    "note",
    "clear_number",
)


def plain_value(value: Any) -> Any:
    """Return the value as plain data: params become a dict, a run its fields; what nobody else can read becomes text."""
    if hasattr(value, "dump") and hasattr(value, "get_param"):
        return value.dump()
    if hasattr(value, "run_type") and hasattr(value, "run_id"):
        return SimpleNamespace(**{name: _known(getattr(value, name, None)) for name in _RUN_FIELDS})
    return _known(value)


def _known(value: Any) -> Any:
    if type(value).__module__.partition(".")[0] in _STANDARD and _is_picklable(value):
        return value
    return json.loads(json.dumps(value, default=str))


def _is_picklable(value: Any) -> bool:
    try:
        return b"orchestrator" not in pickle.dumps(value)
    except Exception:
        return False


def dump_arguments(module: Any, args: Collection[Any], kwargs: Mapping[str, Any], who: str) -> bytes:
    """Return the arguments of a call as ``module`` (pickle, dill or cloudpickle) writes them.

    Raises ``AirflowException`` that names the task ``who`` and the arguments that cannot be written.
    """
    try:
        return bytes(module.dumps({"args": list(args), "kwargs": dict(kwargs)}))
    except Exception as error:
        wrong = [name for name, value in kwargs.items() if not _can_dump(module, value)]
        raise AirflowException(
            f"Task {who!r} cannot send {wrong or 'its op_args'} to the other interpreter with {module.__name__}: {error}. "
            "Send plain values, such as '{{ ti.task_id }}' instead of the task instance."
        ) from error


def _can_dump(module: Any, value: Any) -> bool:
    try:
        module.dumps(value)
    except Exception:
        return False
    return True


def import_folders() -> list[str]:
    """Return the folders from which DAG files import each other, as far as this process knows them."""
    from orchestrator.sdk.configuration import conf

    folders = [str(conf.get("core", name, fallback="") or "") for name in ("dags_folder", "plugins_folder")]
    return [folder for folder in folders if folder and folder in sys.path]
