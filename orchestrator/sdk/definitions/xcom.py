"""Decides what an author's own XCom backend may change, and how XComs are read by class methods."""

from __future__ import annotations

from typing import Any

from orchestrator.sdk.awaiting import in_thread

XCOM_RETURN_KEY = "return_value"


class BaseXCom:
    """Base of XCom backends: a subclass may give ``serialize_value`` and ``deserialize_value``."""

    XCOM_RETURN_KEY = XCOM_RETURN_KEY

    @staticmethod
    def serialize_value(
        value: Any,
        *,
        key: str | None = None,
        task_id: str | None = None,
        dag_id: str | None = None,
        run_id: str | None = None,
        map_index: int | None = None,
    ) -> Any:
        """Return what is stored for a value, as JSON types."""
        from orchestrator.sdk.serialization.values import encode

        return encode(value)

    @staticmethod
    def deserialize_value(result: Any) -> Any:
        """Return the value of what is stored (``result.value``)."""
        from orchestrator.sdk.serialization.values import decode

        return decode(result.value)

    @classmethod
    def purge(cls, xcom: Any, *args: Any) -> None:
        """Hook before an XCom is deleted (``xcom.value`` is what is stored): remove what the backend keeps elsewhere."""

    @classmethod
    def get_one(
        cls,
        *,
        key: str,
        dag_id: str,
        task_id: str,
        run_id: str,
        map_index: int | None = None,
        include_prior_dates: bool = False,
    ) -> Any:
        """Return the value, None if there is none; only in a running task."""
        from orchestrator.sdk.execution import xcom

        where: dict[str, Any] = {"dag_id": dag_id, "run_id": run_id, "task_id": task_id, "key": key}
        return xcom.get_one(map_index=-1 if map_index is None else map_index, include_prior_dates=include_prior_dates, **where)

    @classmethod
    def get_value(cls, *, ti_key: Any, key: str) -> Any:
        """Return what a task instance pushed, None if it pushed nothing; links of operators are given the ``ti_key``."""
        where = {"dag_id": ti_key.dag_id, "task_id": ti_key.task_id, "run_id": ti_key.run_id}
        return cls.get_one(key=key, map_index=ti_key.map_index, **where)

    @classmethod
    def get_all(cls, *, key: str, dag_id: str, task_id: str, run_id: str, include_prior_dates: bool = False) -> Any:
        """Return the values of all indexes, None if nothing was pushed."""
        from orchestrator.sdk.execution import xcom

        where: dict[str, Any] = {"dag_id": dag_id, "run_id": run_id, "task_id": task_id, "key": key}
        return xcom.get_all(include_prior_dates=include_prior_dates, **where)

    @classmethod
    def set(cls, key: str, value: Any, *, dag_id: str, task_id: str, run_id: str, map_index: int = -1, **_: Any) -> None:
        """Store a value."""
        from orchestrator.sdk.execution import xcom

        place = {"key": key, "dag_id": dag_id, "task_id": task_id, "run_id": run_id, "map_index": map_index}
        xcom.set_for(place, value)

    @classmethod
    def delete(cls, key: str, task_id: str, dag_id: str, run_id: str, map_index: int | None = None) -> None:
        """Delete a value, after the backend's ``purge``."""
        from orchestrator.sdk.execution import xcom

        index = -1 if map_index is None else map_index
        xcom.delete_for({"key": key, "dag_id": dag_id, "task_id": task_id, "run_id": run_id, "map_index": index})

    @classmethod
    async def aget_one(cls, **where: Any) -> Any:
        """As ``get_one``, while the event loop goes on."""
        return await in_thread(cls.get_one, **where)

    @classmethod
    async def aget_value(cls, **where: Any) -> Any:
        """As ``get_value``, while the event loop goes on."""
        return await in_thread(cls.get_value, **where)

    @classmethod
    async def aget_all(cls, **where: Any) -> Any:
        """As ``get_all``, while the event loop goes on."""
        return await in_thread(cls.get_all, **where)

    @classmethod
    async def aset(cls, key: str, value: Any, **where: Any) -> None:
        """As ``set``, while the event loop goes on."""
        await in_thread(cls.set, key, value, **where)
