"""A DAG whose stored document is garbage, or parses and lies: the other DAGs go on (C04-a, I4)."""

import json
import random
from typing import Any

from tests.faults.dag_files import web
from tests.faults.platform import Platform
from tests.waiting import wait_until


def without_tasks(document: dict[str, Any]) -> None:
    document["tasks"] = []


def wrong_types(document: dict[str, Any]) -> None:
    for task in document["tasks"]:
        task["retries"], task["pool_slots"] = "many", {"a": 1}


def cycle(document: dict[str, Any]) -> None:
    ids = [task["task_id"] for task in document["tasks"]]
    for number, task in enumerate(document["tasks"]):
        task["upstream_task_ids"] = [ids[number - 1]]


def unknown_upstream(document: dict[str, Any]) -> None:
    document["tasks"][0]["upstream_task_ids"] = ["nobody"]


def no_object(document: dict[str, Any]) -> None:
    document["tasks"] = 7


LIES = [without_tasks, wrong_types, cycle, unknown_upstream, no_object]
SICK = """
from airflow.sdk import DAG, task

for number in range(20):
    with DAG(f"sick_{number}", schedule="@once", is_paused_upon_creation=True):

        @task
        def work():
            pass

        work() >> work()
"""


def test_dags_with_broken_documents_hinder_no_other(platform: Platform) -> None:
    platform.write_dag(SICK, "sick.py")
    platform.deployment.start("dag_processor")
    wait_until(lambda: len(versions(platform)) == 20, 120, what="the DAGs to be stored")
    chance = random.Random(4)
    for number, (version_id, text) in enumerate(versions(platform)):
        garbage = chance.randbytes(200).decode("latin-1").replace("\0", " ")
        broken = lie(text, number) if number < len(LIES) else garbage
        platform.execute("UPDATE dags_app_dagversion SET document = ? WHERE id = ?", broken, version_id)
    platform.execute("UPDATE dags_app_dag SET is_paused = ?", False)
    platform.keep("api_server", "scheduler")
    platform.write_dag(web(platform.folder, wide=20, chains=1, links=5))
    platform.wait_finished()
    assert platform.states() == {"success": 28}
    noted = "SELECT COUNT(*) FROM dags_app_dag WHERE dag_id LIKE 'sick%' AND scheduling_error <> ''"
    wait_until(lambda: platform.rows(noted)[0][0] >= 15, 60, what="the error on each DAG with garbage")


def versions(platform: Platform) -> list[tuple[Any, ...]]:
    """The stored documents by version."""
    return platform.rows("SELECT id, document FROM dags_app_dagversion")


def lie(text: str, number: int) -> str:
    """A document that is JSON and says what cannot be."""
    document = json.loads(text)
    LIES[number](document)
    return json.dumps(document)
