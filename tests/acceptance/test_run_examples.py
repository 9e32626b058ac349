"""Backfills, retries and triggered runs in a running platform, by our example DAGs (C22, C25)."""

from __future__ import annotations

from tests.acceptance.test_clearing import known, start, states, trigger
from tests.faults.platform import Platform
from tests.waiting import wait_until


def test_a_backfill_of_our_example_runs_every_day_and_completes(platform: Platform) -> None:
    rest, dag_id = start(platform, "example_backfill"), "example_backfill"
    known(platform, dag_id)
    order = {"dag_id": dag_id, "from_date": "2026-01-01T00:00:00Z", "to_date": "2026-01-05T00:00:00Z", "max_active_runs": 2}
    backfill = rest.call("POST", "/api/v2/backfills", order)
    path = f"/api/v2/backfills/{backfill['id']}"
    wait_until(lambda: rest.call("GET", path)["completed_at"], 180, what="the end of the backfill")
    dates = rest.call("GET", f"{path}/dates")["dates"]
    assert [date["state"] for date in dates] == ["success"] * 5
    assert [date["logical_date"][:10] for date in dates] == [f"2026-01-0{day}" for day in range(1, 6)]


def test_our_example_of_retries_ends_each_task_as_its_rule_says(platform: Platform) -> None:
    rest, dag_id = start(platform, "example_retries"), "example_retries"
    known(platform, dag_id)
    run_id = trigger(rest, dag_id)
    assert platform.wait_run(dag_id, run_id) == "failed", platform.report(dag_id)
    wanted = {"comes_back": "success", "gives_up": "failed", "has_nothing_to_do": "skipped", "backs_off": "success"}
    assert states(platform, dag_id) == wanted
    tries = dict(platform.rows(f"SELECT task_id, try_number FROM runs_taskinstance WHERE dag_id = '{dag_id}'"))
    assert tries == {"comes_back": 2, "gives_up": 1, "has_nothing_to_do": 1, "backs_off": 3}
    details = [
        str(row[0]) for row in platform.rows("SELECT cause_detail FROM runs_taskinstancehistory WHERE task_id = 'comes_back'")
    ]
    assert len(details) == 1 and "the service comes back soon" in details[0]


def test_our_example_of_triggered_runs_waits_skips_and_resets(platform: Platform) -> None:
    rest, dag_id = start(platform, "example_trigger_run"), "example_trigger_run"
    known(platform, dag_id)
    known(platform, "example_triggered")
    run_id = trigger(rest, dag_id)
    assert platform.wait_run(dag_id, run_id) == "success", platform.report(dag_id)
    assert states(platform, dag_id) == {
        "wait_here": "success",
        "wait_in_triggerer": "success",
        "is_there_already": "skipped",
        "run_again": "success",
    }
    runs = rest.call("GET", "/api/v2/dags/example_triggered/dagRuns")["dag_runs"]
    assert sorted(run["run_type"] for run in runs) == ["operator_triggered"] * 2
    assert {run["state"] for run in runs} == {"success"} and {run["conf"]["run"] for run in runs} == {run_id}
