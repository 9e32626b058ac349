"""Results from 1 KB to 200 MB pass from task to task in real processes, and servers do not grow by them (C32-a)."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest

from tests.faults.platform import Platform
from tests.faults.rest import Rest
from tests.waiting import wait_until

pytestmark = pytest.mark.xdist_group("faults")

EXAMPLES = Path(__file__).parents[2] / "dags"
MB = 1_000_000


@pytest.fixture
def platform(platform: Platform) -> Platform:
    platform.deployment.env["AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION"] = "False"
    for name in ("example_large_xcom.py", "example_mapping.py"):
        text = (EXAMPLES / name).read_text().replace("is_paused_upon_creation=True", "is_paused_upon_creation=False")
        platform.write_dag(text, name)
    platform.standalone()
    return platform


def memory_beside_tasks(platform: Platform) -> int:
    """Return the peak resident bytes of the largest server or supervisor."""
    peaks = []
    for pid in [*platform.pids("manage.py"), *platform.pids("execution.supervisor")]:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it may end meanwhile
            status = Path(f"/proc/{pid}/status").read_text()
            peaks += [int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")]
    return max(peaks)


def test_a_result_of_any_size_reaches_the_next_task(platform: Platform) -> None:
    """1 KB, 64 KB and beyond, 200 MB: the length arrives, large ones are files, and no server grows by the value."""
    rest = Rest(platform)
    known = "SELECT COUNT(*) FROM dags_app_dag"
    wait_until(lambda: platform.rows(known)[0][0] == 2, 120, what="the example DAGs")
    path = "/api/v2/dags/example_large_xcom/dagRuns"
    for size in (1000, 65_534, 65_535, MB, 200 * MB):
        before = memory_beside_tasks(platform)
        run_id = rest.call("POST", path, {"logical_date": None, "conf": {"bytes": size}})["dag_run_id"]
        assert platform.wait_run("example_large_xcom", run_id, 180) == "success", platform.report("example_large_xcom")
        where = f"FROM runs_xcom WHERE run_id = '{run_id}' AND key = 'return_value'"
        assert platform.rows(f"SELECT value {where} AND task_id = 'measure'") == [(str(size),)]
        ((kept, location, length),) = platform.rows(f"SELECT size, location, LENGTH(value) {where} AND task_id = 'make'")
        assert kept == size + 2
        assert (location != "") == (kept > 65_536) == (length < 1000)
        assert memory_beside_tasks(platform) - before < 20 * MB
    shutil.rmtree(platform.deployment.home / "xcoms")
    run_id = rest.trigger("example_mapping")
    assert platform.wait_run("example_mapping", run_id, 180) == "success", platform.report("example_mapping")
    labels = "SELECT rendered_map_index FROM runs_taskinstance WHERE task_id = 'weigh' ORDER BY map_index"
    assert platform.rows(labels) == [("parcel 1",), ("parcel 2",), ("parcel 3",)]
    assert platform.rows("SELECT value FROM runs_xcom WHERE task_id = 'total'") == [("2350",)]
