"""Decides what an author's own XCom backend may change, and how XComs are read by class methods."""

from __future__ import annotations

from typing import Any

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
        """Hook before an XCom is deleted: remove what the backend keeps elsewhere."""
