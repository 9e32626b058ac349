"""Values of any size (C32): small ones in the database, large ones in the store, and what a backend of the author's may change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.sdk.definitions.xcom import BaseXCom
from orchestrator.sdk.exceptions import AirflowConfigException
from orchestrator.sdk.execution import xcom, xcom_backend, xcom_objects
from orchestrator.sdk.execution.channel import set_channel
from orchestrator.sdk.execution.lazy_sequence import LazyXComSequence
from tests.attempts import Supervisor

PLACE: dict[str, Any] = {"dag_id": "d", "run_id": "r", "task_id": "t", "map_index": -1, "key": "k"}
LIMIT = 300


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AIRFLOW__CORE__XCOM_STORE_PATH", str(tmp_path / "xcoms"))
    monkeypatch.setenv("AIRFLOW__CORE__XCOM_INLINE_MAX_BYTES", str(LIMIT))
    return tmp_path / "xcoms"


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    made = Supervisor()
    set_channel(made)
    yield made
    set_channel(None)


def files(store: Path) -> list[Path]:
    return [path for path in store.rglob("*") if path.is_file()]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abcä"), inner),
    max_leaves=40,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=JSON)
def test_every_value_comes_back_whatever_its_size(value: Any) -> None:
    stored = xcom_backend.to_stored(value, **PLACE)
    assert xcom_backend.from_stored(json.loads(json.dumps(stored))) == value
    assert (xcom_objects.reference_in(stored) is not None) == (len(json.dumps(value, ensure_ascii=False).encode()) > LIMIT)


@pytest.mark.parametrize("size", [1 << 10, 64 << 10, 1 << 20, 8 << 20])
def test_a_large_value_is_a_file_with_size_and_hash(size: int, store: Path) -> None:
    """C32-a"""
    reference = xcom_objects.reference_in(xcom_backend.to_stored("x" * size, **PLACE))
    assert reference is not None
    assert reference["size"] == size + 2 == files(store)[0].stat().st_size
    assert len(reference["sha256"]) == 64


def test_a_value_of_exactly_the_limit_stays_inline(store: Path) -> None:
    assert xcom_backend.to_stored("ä" * ((LIMIT - 2) // 2), **PLACE) == "ä" * ((LIMIT - 2) // 2)
    assert not files(store)


def test_a_value_over_the_hard_limit_fails_with_size_and_option(monkeypatch: pytest.MonkeyPatch, store: Path) -> None:
    monkeypatch.setenv("AIRFLOW__WORKERS__XCOM_MAX_BYTES", "1000")
    with pytest.raises(xcom_backend.XComTooLargeError, match=r"has 1002 bytes; the most is 1000 \(\[workers\] xcom_max_bytes\)"):
        xcom_backend.to_stored("x" * 1000, **PLACE)
    assert not files(store)


@pytest.mark.parametrize("harm", ["gone", "cut", "changed"])
def test_a_file_that_is_not_what_was_written_is_refused(harm: str, store: Path) -> None:
    stored = xcom_backend.to_stored("x" * 1000, **PLACE)
    file = files(store)[0]
    if harm == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-1] if harm == "cut" else b'"' + b"y" * 1000 + b'"')
    with pytest.raises(xcom_objects.XComObjectError, match="The large XCom in"):
        xcom_backend.from_stored(stored)


@pytest.mark.parametrize("text", ["..", "a/../b", "/etc", "é" * 200, "x" * 250, "run:1+00", ".", "a b"])
def test_ids_make_safe_folders_that_differ(text: str, store: Path) -> None:
    folder = xcom_objects.folder_of(text, text, text, 0, text)
    assert (store / folder).resolve().is_relative_to(store.resolve())
    assert all(part not in ("", ".", "..") and len(part) <= 120 for part in folder.split("/"))
    assert folder != xcom_objects.folder_of(text + "x", text, text, 0, text)


def test_removing_leaves_no_empty_folders(store: Path) -> None:
    first, second = (xcom_backend.to_stored("x" * 1000, **PLACE | {"key": key}) for key in "ab")
    xcom_objects.remove(xcom_objects.reference_in(first)["location"])  # type: ignore[index]
    assert len(files(store)) == 1
    xcom_objects.remove(xcom_objects.reference_in(second)["location"])  # type: ignore[index]
    assert not list(store.iterdir())
    xcom_backend.to_stored("x" * 1000, **PLACE)
    xcom_objects.remove_run("d", "r")
    assert not files(store)


def test_items_and_slices_read_large_values_too(supervisor: Supervisor) -> None:
    for index in range(5):
        xcom.set_for(PLACE | {"map_index": index}, [index] * 500)
    values = LazyXComSequence("r", "d", "t", "k")
    assert repr(values) == "LazyXComSequence(<unevaluated length>)"
    assert (len(values), values[1][0], values[-1][0], [v[0] for v in values[1:4:2]]) == (5, 1, 4, [1, 3])
    assert repr(values) == "LazyXComSequence([5 items])"
    assert [v[0] for v in values] == [0, 1, 2, 3, 4]
    with pytest.raises(IndexError):
        values[5]


def test_iteration_asks_for_many_items_at_once(supervisor: Supervisor) -> None:
    for index in range(250):
        xcom.set_for(PLACE | {"map_index": index}, index)
    before = len(supervisor.messages)
    assert list(LazyXComSequence("r", "d", "t", "k")) == list(range(250))
    assert len(supervisor.messages) - before == 4  # the length, which list() asks for, and three parts


class Upper(BaseXCom):
    """Keeps texts in upper case, elsewhere."""

    purged: list[Any] = []

    @staticmethod
    def serialize_value(value: Any, **_: Any) -> Any:
        return {"kept": value.upper()}

    @staticmethod
    def deserialize_value(result: Any) -> Any:
        return result.value["kept"]

    @classmethod
    def purge(cls, xcom: Any, *args: Any) -> None:
        cls.purged.append((xcom.key, xcom.value))


def test_a_backend_of_the_author_writes_reads_and_purges(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__XCOM_BACKEND", f"{__name__}.Upper")
    xcom.set_for(PLACE, "abc")
    assert supervisor.xcoms["t", "k"][-1] == {"kept": "ABC"}
    assert xcom.get_one(**PLACE) == "ABC"
    xcom.delete_for(PLACE)
    assert Upper.purged == [("k", {"kept": "ABC"})]
    assert supervisor.xcoms["t", "k"] == {}


@pytest.mark.parametrize("path", ["no.such.module.Backend", "builtins.dict", "nodots"])
def test_a_wrong_backend_is_named(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__XCOM_BACKEND", path)
    with pytest.raises(AirflowConfigException, match=f"xcom_backend is '{path}'"):
        xcom_backend.backend()


def test_the_object_storage_backend_of_airflow_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fsspec")
    from orchestrator.sdk import airflow_names

    airflow_names.install()
    monkeypatch.setenv("AIRFLOW__CORE__XCOM_BACKEND", "airflow.providers.common.io.xcom.backend.XComObjectStorageBackend")
    monkeypatch.setenv("AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_PATH", "memory://large")
    monkeypatch.setenv("AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_THRESHOLD", "100")
    monkeypatch.setenv("AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_COMPRESSION", "gzip")
    stored = xcom_backend.to_stored({"a": (1, "x" * 200)}, **PLACE)
    assert stored.startswith("memory://large/d/r/t/")
    assert stored.endswith(".gz")
    assert xcom_backend.from_stored(stored) == {"a": (1, "x" * 200)}
    assert xcom_backend.to_stored([1], **PLACE) == [1]
    assert xcom_backend.from_stored("memory://elsewhere/x") == "memory://elsewhere/x"
