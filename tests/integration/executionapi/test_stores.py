"""Values between attempts and beside assets through the Execution API: store/ti and store/asset."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.definitions.asset import Asset as A
from runs.models import AssetState, TaskState
from tests.assets import stored
from tests.factories import make_run, make_ti
from tests.integration.executionapi.conftest import Worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker(db: None) -> Worker:
    return Worker(make_ti(make_run(stored("w", outlets=[A("a", uri="s3://a/k")])), state="running"))


def path(worker: Worker, key: str = "") -> str:
    return f"store/ti/{worker.ti.pk}" + (f"/{key}" if key else "")


@pytest.mark.parametrize("value", [1, "x", None, [1, {"a": None}], False])
def test_a_value_is_kept_read_deleted(worker: Worker, value: Any):
    assert worker.send("GET", path(worker, "a/b")).status_code == 404
    assert worker.send("PUT", path(worker, "a/b"), {"value": value}).status_code == 204
    assert worker.send("GET", path(worker, "a/b")).json() == {"value": value}
    for _ in range(2):
        assert worker.send("DELETE", path(worker, "a/b")).status_code == 204
    assert worker.send("GET", path(worker, "a/b")).status_code == 404


def test_a_later_attempt_finds_what_an_earlier_one_has_kept(worker: Worker):
    worker.send("PUT", path(worker, "k"), {"value": 1})
    row = worker.ti
    row.delete()
    later = Worker(make_ti(row.dag_run, state="running", try_number=2))
    assert later.send("GET", path(later, "k")).json() == {"value": 1}


def test_another_map_index_has_values_of_its_own(worker: Worker):
    worker.send("PUT", path(worker, "k"), {"value": 1})
    other = Worker(make_ti(worker.ti.dag_run, state="running", map_index=1))
    assert other.send("GET", path(other, "k")).status_code == 404
    assert other.send("DELETE", path(other)).status_code == 204
    assert worker.send("GET", path(worker, "k")).status_code == 200
    assert worker.send("DELETE", path(worker)).status_code == 204
    assert not TaskState.objects.exists()


def test_the_expiry_is_the_writers_or_the_configured_one_and_null_is_never(worker: Worker):
    until = utcnow() + timedelta(hours=1)
    for key, more in (("own", {"expires_at": until.isoformat()}), ("never", {"expires_at": None}), ("default", {})):
        assert worker.send("PUT", path(worker, key), {"value": 1, **more}).status_code == 204
    found = dict(TaskState.objects.values_list("key", "expires_at"))
    assert (found["own"], found["never"]) == (until, None)
    assert timedelta(days=29) < found["default"] - utcnow() < timedelta(days=31)


def test_an_attempt_reads_and_writes_its_own_values_only(worker: Worker):
    other = Worker(make_ti(worker.ti.dag_run, "other", state="running"))
    assert worker.send("PUT", path(other, "k"), {"value": 1}).status_code == 403


def test_older_versions_know_no_store(worker: Worker):
    assert worker.send("GET", path(worker, "k"), version="2026-04-06").status_code == 404


@pytest.mark.parametrize("by", [{"name": "a"}, {"uri": "s3://a/k"}])
def test_values_beside_an_asset_are_kept_with_their_writer(worker: Worker, by: dict[str, str]):
    base = f"store/asset/by-{next(iter(by))}"
    assert worker.send("GET", f"{base}/value", query=by | {"key": "k"}).status_code == 404
    assert worker.send("PUT", f"{base}/value", {"value": [1]}, query=by | {"key": "k"}).status_code == 204
    assert worker.send("GET", f"{base}/value", query=by | {"key": "k"}).json() == {"value": [1]}
    ids = {"dag_id": "w", "run_id": "r", "task_id": "t", "map_index": -1}
    assert AssetState.objects.get().writer == {"kind": "task", **ids}
    assert worker.send("DELETE", f"{base}/value", query=by | {"key": "other"}).status_code == 204
    assert worker.send("DELETE", f"{base}/clear", query=by).status_code == 204
    assert not AssetState.objects.exists()


def test_an_unknown_asset_is_404_and_an_empty_key_422(worker: Worker):
    assert worker.send("GET", "store/asset/by-name/value", query={"name": "x", "key": "k"}).status_code == 404
    assert worker.send("GET", "store/asset/by-name/value", query={"name": "a", "key": ""}).status_code == 422
