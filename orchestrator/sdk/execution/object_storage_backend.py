"""Decides which XComs go into an object store of the author's choice: Airflow's ``XComObjectStorageBackend``."""

from __future__ import annotations

import json
import uuid
from typing import Any

from orchestrator.sdk.definitions.object_storage import ObjectStoragePath
from orchestrator.sdk.definitions.xcom import BaseXCom
from orchestrator.sdk.exceptions import AirflowConfigException
from orchestrator.sdk.serialization.values import decode, encode

SECTION = "common.io"


class XComObjectStorageBackend(BaseXCom):
    """Keeps values from ``[common.io] xcom_objectstorage_threshold`` bytes on as files; the XCom is the path."""

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
        """Return the value as JSON types, or the path of the file that has it."""
        document = encode(value)
        data = json.dumps(document).encode()
        threshold = int(_option("xcom_objectstorage_threshold") or -1)
        if threshold < 0 or len(data) < threshold:
            return document
        compression = _option("xcom_objectstorage_compression") or None
        name = f"{uuid.uuid4()}{_suffix(compression)}"
        path = _base().joinpath(dag_id or "NO_DAG_ID", run_id or "NO_RUN_ID", task_id or "NO_TASK_ID", name)
        with path.open("wb", **({"compression": compression} if compression else {})) as file:
            file.write(data)
        return str(path)

    @staticmethod
    def deserialize_value(result: Any) -> Any:
        """Return the value, read from its file where the XCom is a path below the configured one."""
        path = _path_of(result.value)
        if path is None:
            return decode(result.value)
        try:
            with path.open("rb", compression="infer") as file:
                return decode(json.loads(file.read()))
        except FileNotFoundError:
            return result.value

    @classmethod
    def purge(cls, xcom: Any, *args: Any) -> None:
        """Delete the file of a value."""
        path = _path_of(xcom.value)
        if path is not None:
            path.unlink(missing_ok=True)


def _option(key: str) -> str:
    from orchestrator.sdk.configuration import conf

    return str(conf.get(SECTION, key, fallback="") or "")


def _base() -> ObjectStoragePath:
    text = _option("xcom_objectstorage_path")
    if not text:
        raise AirflowConfigException(
            f"[{SECTION}] xcom_objectstorage_path is not set; XComObjectStorageBackend keeps values there"
        )
    return ObjectStoragePath(text)


def _path_of(value: Any) -> ObjectStoragePath | None:
    """Return the path that a stored text names; None for any text that is not below the configured path."""
    if not isinstance(value, str) or "://" not in value or not _option("xcom_objectstorage_path"):
        return None
    path = ObjectStoragePath(value)
    return path if ".." not in path.parts and path.is_relative_to(_base()) else None


def _suffix(compression: str | None) -> str:
    if compression is None:
        return ""
    from fsspec.utils import compressions  # type: ignore[import-untyped,import-not-found,unused-ignore]

    found = next((suffix for suffix, name in compressions.items() if name == compression), None)
    if found is None:
        raise AirflowConfigException(
            f"[{SECTION}] xcom_objectstorage_compression is {compression!r}; use one of {sorted(set(compressions.values()))}"
        )
    return f".{found}"
