"""Decides how a value becomes what is stored of an XCom: by the chosen backend first, then in the store where it is large."""

from __future__ import annotations

import functools
import json
from types import SimpleNamespace
from typing import Any

from orchestrator.sdk.definitions.xcom import BaseXCom
from orchestrator.sdk.exceptions import AirflowConfigException, AirflowException
from orchestrator.sdk.execution import xcom_objects

Json = Any

READ_BY_SCHEDULER = "skipmixin_key"  # what a branch chose stays in the database, however long


class XComTooLargeError(AirflowException):
    """A value above the hard limit of XComs."""


def backend() -> type[BaseXCom]:
    """Return the class that ``[core] xcom_backend`` names, ``BaseXCom`` where it names none.

    Raises ``AirflowConfigException`` for a path that leads to no XCom backend.
    """
    from orchestrator.sdk.configuration import conf

    return _backend_at(str(conf.get("core", "xcom_backend", fallback="") or ""))


@functools.cache
def _backend_at(path: str) -> type[BaseXCom]:
    module, _, name = path.rpartition(".")
    if not path or path == "airflow.sdk.execution_time.xcom.BaseXCom":
        return BaseXCom
    from importlib import import_module

    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise AirflowConfigException(f"[core] xcom_backend is {path!r}, which cannot be imported: {error}") from error
    if not isinstance(found, type) or not issubclass(found, BaseXCom):
        raise AirflowConfigException(f"[core] xcom_backend is {path!r}; it must be a subclass of airflow.sdk.bases.xcom.BaseXCom")
    return found


def to_stored(value: Any, *, key: str, task_id: str, dag_id: str, run_id: str, map_index: int) -> Json:
    """Return what is sent to the server for a value.

    Raises ``TypeError`` for a value that cannot be written, ``ValueError`` for a number that JSON does not have (NaN, infinity),
    ``XComTooLargeError`` above the hard limit.
    """
    place = {"key": key, "task_id": task_id, "dag_id": dag_id, "run_id": run_id, "map_index": map_index}
    document = backend().serialize_value(value, **place)  # type: ignore[arg-type]
    if document is None or isinstance(document, bool | int):
        return document
    if isinstance(document, bytes):  # backends of older days give text in bytes
        document = document.decode()
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    # A character has at most four bytes, so that most values need no counting.
    if len(text) * 4 <= xcom_objects.inline_limit():
        return document
    size = _bytes_of(text)
    _refuse_too_large(size, key, task_id)
    if size <= xcom_objects.inline_limit() or key == READ_BY_SCHEDULER:
        return document
    return xcom_objects.write(text, xcom_objects.folder_of(dag_id, run_id, task_id, map_index, key))


def _bytes_of(text: str) -> int:
    if text.isascii():
        return len(text)
    step = xcom_objects.WRITE_BYTES
    return sum(len(text[start : start + step].encode(errors="surrogatepass")) for start in range(0, len(text), step))


def _refuse_too_large(size: int, key: str, task_id: str) -> None:
    from orchestrator.sdk.configuration import conf

    limit = conf.getint("workers", "xcom_max_bytes", fallback=1 << 30)
    if size > limit:
        raise XComTooLargeError(
            f"The XCom {key!r} of task {task_id!r} has {size} bytes; the most is {limit} ([workers] xcom_max_bytes). Write the "
            "data to a file or table and pass where it is, or raise the option."
        )


def from_stored(document: Json) -> Any:
    """Return the value of what the server gave back.

    Raises ``ImportError`` for a class that may not be read, ``XComObjectError`` for a large value that cannot be read.
    """
    return backend().deserialize_value(SimpleNamespace(value=xcom_objects.load(document)))


def purges() -> bool:
    """Return whether the backend must see a value before it is deleted."""
    return backend().purge.__func__ is not BaseXCom.purge.__func__  # type: ignore[attr-defined]
