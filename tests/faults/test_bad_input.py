"""What is wrong with a DAG file or an option is said, with place and way out; nothing else is disturbed."""

from tests.faults.dag_files import journal
from tests.faults.platform import Platform
from tests.waiting import wait_until

HEAD = "from airflow.sdk import DAG, Param, task\n"
BODY = "\n    @task\n    def work():\n        pass\n\n    work()\n"
BAD = {
    "cron.py": 'with DAG("bad_cron", schedule="61 * * * *"):' + BODY,
    "option.py": 'with DAG("bad_option", shedule=None):' + BODY,
    "params.py": 'with DAG("bad_params", schedule="@once", params={"n": Param("x", type="integer")}):' + BODY,
    "cycle.py": 'with DAG("bad_cycle", schedule=None):\n'
    '    one, two = (task(task_id=name)(print)() for name in ("one", "two"))\n    one >> two >> one\n',
    "twice.py": 'with DAG("fine", schedule=None):' + BODY,
}
SAID = {"cron.py": "61", "option.py": "shedule", "params.py": "n", "cycle.py": "ycle", "twice.py": "fine.py"}
FINE = """
with DAG("fine", schedule="@once", is_paused_upon_creation=False):
    task(task_id="fine")(body)()

with DAG("poolless", schedule="@once", is_paused_upon_creation=False):
    task(task_id="waits", pool="no_such_pool")(body)()
    task(task_id="runs")(body)()
"""
ROW = "SELECT wait_reason, wait_detail FROM runs_taskinstance WHERE dag_id = 'poolless' AND task_id = 'waits'"


def test_bad_dag_files_are_import_errors_and_a_missing_pool_is_a_reason(platform: Platform) -> None:
    platform.write_dag(journal(platform.folder) + FINE, "fine.py")
    platform.standalone()
    platform.wait_finished("fine")
    for name, text in BAD.items():
        platform.write_dag(HEAD + text, name)
    sql = "SELECT filename, stacktrace FROM dags_app_parseimporterror"
    wait_until(lambda: {name for name, _ in platform.rows(sql)} >= BAD.keys(), 120, what=f"errors of {sorted(BAD)}")
    errors = dict(platform.rows(sql))
    assert {name for name, word in SAID.items() if word not in errors[name]} == set(), errors
    assert platform.run_states("fine") == ["success"]
    assert platform.rows("SELECT dag_id FROM dags_app_dag WHERE dag_id LIKE 'bad%'") == []
    states = "SELECT state FROM runs_taskinstance WHERE dag_id = 'poolless' AND task_id = 'runs'"
    wait_until(lambda: platform.rows(states) == [("success",)], 60, what="the task beside the one without a pool")
    reason, detail = wait_until(lambda: (row := platform.rows(ROW)[0])[0] == "unknown_pool" and row, 120, what=f"{ROW}")
    assert reason == "unknown_pool" and "no_such_pool" in str(detail)
    platform.execute(
        "INSERT INTO runs_pool (pool, slots, description, include_deferred) VALUES ('no_such_pool', 1, '', ?)", False
    )
    platform.wait_finished("poolless")
    assert platform.run_states("poolless") == ["success"]
