"""Decides how XComs are pushed and pulled: which messages, which values come back, and in what shape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

from orchestrator.sdk.definitions.sentinels import NOTSET
from orchestrator.sdk.exceptions import AirflowRuntimeError, UnmappableXComTypePushed, XComForMappingNotPushed
from orchestrator.sdk.execution import xcom_objects
from orchestrator.sdk.execution.channel import ask
from orchestrator.sdk.execution.mapped_over import tasks_mapped_over
from orchestrator.sdk.execution.xcom_backend import backend, from_stored, purges, to_stored

RETURN_KEY = "return_value"


def set_xcom(
    ti: Any, key: str, value: Any, *, mapped_length: int | None = None, dag_result: bool = False, map_index: int | None = None
) -> None:
    """Store ``value`` under ``key`` for the task instance; repeating it has the same effect.

    A large value goes into the XCom store, and only its reference to the server. Raises ``TypeError`` naming the class if
    the value cannot be written as JSON, ``XComTooLargeError`` above the hard limit.
    """
    index = ti.map_index if map_index is None else map_index
    _set(key, value, index, mapped_length=mapped_length, dag_result=dag_result, **_of(ti))


def _set(
    key: str, value: Any, map_index: int, *, mapped_length: int | None = None, dag_result: bool = False, **task: Any
) -> None:
    place = {"key": key, "map_index": map_index, **task}
    stored = to_stored(value, **place)
    ask({"type": "SetXCom", "value": stored, "mapped_length": mapped_length, "dag_result": dag_result, **place})


def delete_xcom(ti: Any, key: str) -> None:
    """Remove the task instance's XCom of that key, if there is one; the backend hears of it before."""
    _delete(key=key, map_index=ti.map_index, **_of(ti))


def _delete(**place: Any) -> None:
    if purges():
        found = ask({"type": "GetXCom", "include_prior_dates": False, **place})
        if found.get("value") is not None:
            backend().purge(SimpleNamespace(value=xcom_objects.load(found["value"]), **place))
    ask({"type": "DeleteXCom", **place})


def get_one(*, dag_id: str, run_id: str, task_id: str, key: str, map_index: int | None, include_prior_dates: bool = False) -> Any:
    """Return the value, None if there is none."""
    answer = ask(
        {
            "type": "GetXCom",
            "key": key,
            "dag_id": dag_id,
            "run_id": run_id,
            "task_id": task_id,
            "map_index": map_index,
            "include_prior_dates": include_prior_dates,
        }
    )
    return from_stored(answer.get("value"))


def get_all(*, dag_id: str, run_id: str, task_id: str, key: str, include_prior_dates: bool = False) -> list[Any] | None:
    """Return the values of all indexes of the task in order, None if nothing was pushed."""
    answer = ask(
        {
            "type": "GetXComSequenceSlice",
            "key": key,
            "dag_id": dag_id,
            "run_id": run_id,
            "task_id": task_id,
            "start": None,
            "stop": None,
            "step": None,
            "include_prior_dates": include_prior_dates,
        }
    )
    values = answer.get("root")
    return [from_stored(value) for value in values] if values else None


def count(*, dag_id: str, run_id: str, task_id: str, key: str) -> int:
    """Return how many indexes of the task pushed a value."""
    return int(ask({"type": "GetXComCount", "dag_id": dag_id, "run_id": run_id, "task_id": task_id, "key": key})["len"])


def get_item(offset: int, *, dag_id: str, run_id: str, task_id: str, key: str) -> Any:
    """Return the value at a place among the pushed ones; raises ``AirflowRuntimeError`` (XCOM_NOT_FOUND) beyond the end."""
    where = {"dag_id": dag_id, "run_id": run_id, "task_id": task_id, "key": key}
    return from_stored(ask({"type": "GetXComSequenceItem", "offset": offset, **where}).get("root"))


def get_slice(part: slice, *, dag_id: str, run_id: str, task_id: str, key: str) -> Iterator[Any]:
    """Yield some values of a mapped task, each read when it is reached; raises ``ValueError`` for a step of zero."""
    if part.step == 0:
        raise ValueError("slice step cannot be zero")
    where = {"dag_id": dag_id, "run_id": run_id, "task_id": task_id, "key": key}
    bounds = {"start": part.start, "stop": part.stop, "step": part.step, "include_prior_dates": False}
    answer = ask({"type": "GetXComSequenceSlice", **where, **bounds})
    return (from_stored(value) for value in answer.get("root") or [])


def pull(
    ti: Any,
    task_ids: str | Iterable[str] | None,
    key: str,
    map_indexes: Any,
    default: Any,
    *,
    dag_id: str | None,
    run_id: str | None,
    include_prior_dates: bool,
) -> Any:
    """Return what ``xcom_pull`` of the task instance promises.

    Without ``map_indexes`` all indexes of each task are read; one task that pushed one value gives that value. A single
    task that pushed nothing gives None then, whatever ``default`` is.
    """
    single = task_ids is None or isinstance(task_ids, str)
    tasks = [task_ids or ti.task_id] if single else list(task_ids or ())
    where: dict[str, Any] = {"dag_id": dag_id or ti.dag_id, "run_id": run_id or ti.run_id, "key": key}
    where["include_prior_dates"] = include_prior_dates
    if map_indexes is NOTSET:
        found: list[Any] = []
        for task_id in tasks:
            values = get_all(task_id=str(task_id), **where)
            found += [None] if values is None else values
        return found[0] if single and len(found) == 1 else found
    one_index = map_indexes is None or isinstance(map_indexes, int)
    indexes = [map_indexes] if one_index else list(map_indexes)
    pulled = [get_one(task_id=str(task_id), map_index=index, **where) for task_id in tasks for index in indexes]
    pulled = [default if value is None else value for value in pulled]
    return pulled[0] if single and one_index else pulled


def push_result(ti: Any, result: Any) -> None:
    """Store what the task returned: nothing for None, one XCom per key with ``multiple_outputs``.

    Raises ``TypeError`` for a value that ``multiple_outputs`` or a mapped task downstream cannot use.
    """
    task = ti.task
    if not task.do_xcom_push:
        return
    mapped_over = not ti.is_mapped and ti.task_id in tasks_mapped_over(ti.dag)
    if result is None:
        if mapped_over:
            raise XComForMappingNotPushed()
        return
    mapped_length = None
    if mapped_over:
        if not isinstance(result, list | dict | tuple) and not _is_sequence(result):
            raise UnmappableXComTypePushed(result)
        mapped_length = len(result)
    if task.multiple_outputs:
        _push_each(ti, result)
    set_xcom(ti, RETURN_KEY, result, mapped_length=mapped_length, dag_result=bool(getattr(task, "returns_dag_result", False)))


def _push_each(ti: Any, result: Any) -> None:
    if not isinstance(result, dict):
        raise TypeError(f"Returned output was type {type(result)} expected dictionary for multiple_outputs")
    for key in result:
        if not isinstance(key, str):
            raise TypeError(
                f"Returned dictionary keys must be strings when using multiple_outputs, found {key} ({type(key)}) instead"
            )
    for key, value in result.items():
        set_xcom(ti, key, value)


def _is_sequence(value: Any) -> bool:
    from collections.abc import Sequence

    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _of(ti: Any) -> dict[str, Any]:
    return {"dag_id": ti.dag_id, "run_id": ti.run_id, "task_id": ti.task_id}


def set_for(place: dict[str, Any], value: Any) -> None:
    """Store a value for any task: ``place`` has dag_id, run_id, task_id, map_index and key."""
    task = {name: place[name] for name in ("dag_id", "run_id", "task_id")}
    _set(place["key"], value, place["map_index"], **task)


def delete_for(place: dict[str, Any]) -> None:
    """Delete the XCom of any task."""
    _delete(**place)


def is_missing(error: AirflowRuntimeError) -> bool:
    """Tell whether the server said that there is no such XCom."""
    return getattr(getattr(error.error, "error", None), "value", None) == "XCOM_NOT_FOUND"
