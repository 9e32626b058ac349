"""The database goes away while tasks run: no task is killed, and all finish when it is back (C03-a)."""

import os

import pytest

from tests.faults.dag_files import web
from tests.faults.platform import Platform
from tests.faults.test_kills import assert_all_ran
from tests.postgres import PostgresServer, spare_server
from tests.waiting import wait_until

# An outage of 60 s by hand (OUTAGE_SECONDS=60, default leases of 100 s); the suite keeps the ratio.
OUTAGE_SECONDS = float(os.environ.get("OUTAGE_SECONDS", "12"))
RATIO = OUTAGE_SECONDS / 60


@pytest.mark.skipif(os.environ.get("TEST_DATABASE") != "postgresql", reason="SQLite is a file: it cannot go away")
def test_a_database_that_goes_away_kills_no_task(platform: Platform) -> None:
    usual = platform.deployment.database_url
    with spare_server() as server:
        try:
            _run(platform, server)
        finally:
            platform.stop()
            platform.deployment.database_url = usual  # which the fixture drops


def _run(platform: Platform, server: PostgresServer) -> None:
    deployment = platform.deployment
    deployment.database_url = server.url("postgres")
    deployment.env |= {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": server.url("postgres"),
        "AIRFLOW__WORKERS__HEARTBEAT_SECONDS": str(20 * RATIO),
        "AIRFLOW__WORKERS__LEASE_SECONDS": str(100 * RATIO),
    }
    deployment.run("migrate", "--verbosity", "0")
    # Tasks that end in the outage, and some that begin after it.
    platform.write_dag(web(platform.folder, wide=40, chains=2, links=10, seconds=OUTAGE_SECONDS * 0.8, held=True))
    platform.standalone()
    wait_until(lambda: platform.states().get("running", 0) >= 16, 120, what="tasks to run")
    (platform.folder / "gate").touch()
    server.halt()
    with pytest.raises(AssertionError):
        wait_until(lambda: False, OUTAGE_SECONDS)
    server.resume()
    platform.wait_finished(timeout=max(120.0, OUTAGE_SECONDS * 3))
    assert_all_ran(platform, 63)
    assert platform.rows("SELECT task_id, cause, cause_detail FROM runs_taskinstancehistory") == []
