"""References of large values (C32-a): only an XCom's own place is taken, and its file goes with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.sdk.execution import xcom_objects
from runs.models import XCom
from runs.services_xcom import xcom_objects_delete
from tests.integration.executionapi.conftest import Worker

pytestmark = pytest.mark.django_db

PATH = "xcoms/d/r/t/k"


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AIRFLOW__CORE__XCOM_STORE_PATH", str(tmp_path))
    return tmp_path


def written(text: str = "x" * 100, key: str = "k", index: int = -1) -> Any:
    return xcom_objects.write(f'"{text}"', xcom_objects.folder_of("d", "r", "t", index, key))


def files(store: Path) -> int:
    return sum(path.is_file() for path in store.rglob("*"))


def test_a_reference_is_kept_with_place_and_size_and_given_back(running: Worker) -> None:
    reference = written()
    assert running.send("POST", PATH, reference).status_code == 201
    row = XCom.objects.get()
    assert (row.size, row.location) == (102, reference["__data__"]["location"])
    assert running.send("GET", PATH).json()["value"] == reference
    assert running.send("GET", f"{PATH}/slice").json() == [reference]
    assert running.send("GET", f"{PATH}/item/0").json() == reference


@pytest.mark.parametrize("place", ["other key", "other run", "up", "no data", "name"])
def test_a_reference_to_another_place_is_refused(running: Worker, place: str) -> None:
    reference = written(key="other") if place == "other key" else written()
    location = reference["__data__"]["location"]
    changed = {
        "other key": location,
        "other run": location.replace("d/r/", "d/s/", 1),
        "up": f"../{location}",
        "no data": None,
        "name": location.replace(".json", ".txt"),
    }
    reference["__data__"]["location"] = changed[place]
    response = running.send("POST", PATH, reference)
    assert response.status_code == 400
    assert not XCom.objects.exists()


def test_a_file_that_this_server_does_not_see_is_refused_with_the_option(running: Worker, store: Path) -> None:
    reference = written()
    xcom_objects.remove(reference["__data__"]["location"])
    response = running.send("POST", PATH, reference)
    assert response.status_code == 400
    assert "[core] xcom_store_path" in response.json()["detail"]["message"]


def test_a_deleted_or_replaced_large_value_takes_its_file_along(
    running: Worker, store: Path, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        running.send("POST", PATH, written())
        running.send("POST", PATH, written("y" * 200))
    assert files(store) == 1
    with django_capture_on_commit_callbacks(execute=True):
        running.send("DELETE", PATH)
    assert files(store) == 0


def test_the_files_of_a_run_go_with_the_run(store: Path, django_capture_on_commit_callbacks: Any) -> None:
    written()
    written(index=3, key="other")
    with django_capture_on_commit_callbacks(execute=True):
        xcom_objects_delete("d", "r")
    assert files(store) == 0
