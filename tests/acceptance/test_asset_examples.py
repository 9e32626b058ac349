"""The example of assets runs on the real platform: events, aliases, a watcher, a partition, kept values (C23)."""

from __future__ import annotations

import json
from typing import Any

from tests.acceptance.test_waiting_examples import start
from tests.faults.platform import Platform
from tests.waiting import wait_until


def results(platform: Platform, dag_id: str) -> list[Any]:
    """Return what the tasks of the successful runs of a DAG returned, in the order of the runs."""
    query = (
        "SELECT x.value FROM runs_xcom x JOIN runs_dagrun r ON r.id = x.dag_run_id "
        f"WHERE r.dag_id = '{dag_id}' AND r.state = 'success' ORDER BY r.id"
    )
    return [json.loads(value) for (value,) in platform.rows(query)]


def test_the_example_of_assets_starts_its_consumers(platform: Platform) -> None:
    temporary = platform.deployment.home / "tmp"
    temporary.mkdir()
    # The example's flag lies in the temporary folder, which all platforms of a machine share.
    platform.deployment.env["TMPDIR"] = str(temporary)
    rest, run_id = start(platform, "example_assets.py", "example_assets_write")
    assert platform.wait_run("example_assets_write", run_id) == "success", platform.report("example_assets_write")
    wait_until(lambda: results(platform, "example_assets_regions"), 120, what="the consumer of the alias")
    assert results(platform, "example_assets_regions")[-1] in (["eu"], ["us"], ["eu", "us"])
    wait_until(lambda: len(results(platform, "example_assets_each")) == 2, 120, what="a run for each event (C23-b)")
    assert sorted(results(platform, "example_assets_each")) == [["eu"], ["us"]]
    assert results(platform, "example_assets_report") == []
    (temporary / "example_assets.flag").touch()
    wait_until(lambda: results(platform, "example_assets_report"), 120, what="the consumer of both assets")
    assert results(platform, "example_assets_report") == [3]
    orders = next(a["id"] for a in rest.call("GET", "/api/v2/assets")["assets"] if a["name"] == "example_orders")
    rest.call("POST", "/api/v2/assets/events", {"asset_id": orders, "partition_key": "2026-01-05"})
    wait_until(lambda: results(platform, "example_assets_per_day"), 120, what="the run of the partition")
    assert results(platform, "example_assets_per_day") == ["2026-01-05"]
    assert rest.call("GET", f"/api/v2/assets/{orders}/state-store/rows")["value"] == 3
